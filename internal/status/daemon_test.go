package status_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

func TestUpTo500NodesAreListed(t *testing.T) {
	cases := map[string]struct {
		succeeded, running int
		digest             int
		listed, counted    int
	}{
		"few":                                 {succeeded: 2, running: 1, listed: 3},
		"500":                                 {succeeded: 499, running: 1, listed: 500},
		"501":                                 {succeeded: 500, running: 1, listed: 1, counted: 500},
		"501, none has ended":                 {running: 501, listed: 501},
		"one more, after others were counted": {succeeded: 1, running: 1, digest: 500, listed: 1, counted: 501},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			names := nodeNames(c.succeeded + c.running + c.digest)
			var runs []runBuilder
			for i, name := range names[:c.succeeded+c.running] {
				if i < c.succeeded {
					runs = append(runs, run(name).succeeded())
				} else {
					runs = append(runs, run(name).running())
				}
			}
			dj := newDaemon()
			dj.Status.SucceededDigest = plan.Digest(nil).With(names[c.succeeded+c.running:])
			got := status.Daemon(dj, &planned(runs...).Plan, sets.New(names...), now)

			if len(got.Nodes) != c.listed || plan.Digest(got.SucceededDigest).Len() != c.counted {
				t.Errorf("%d are listed, %d counted", len(got.Nodes), plan.Digest(got.SucceededDigest).Len())
			}
			if want := int32(len(names)); got.Desired != want || got.Succeeded+got.Running != want {
				t.Errorf("desired %d, succeeded %d, running %d of %d", got.Desired, got.Succeeded, got.Running, want)
			}
		})
	}
}

// A thousand nodes run to their end a hundred at a time, some fail, and no node
// ever gets a second Job, whether its first is still there or not.
func TestAThousandNodesRunOnce(t *testing.T) {
	names := nodeNames(1000)
	fails := func(i int) bool { return i%250 == 0 }
	nodes := sets.New(names...)
	dj := newDaemon()
	dj.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Image: "i"}}

	own := map[string]jobs.State{}
	created := map[string]int{}
	pass := func() {
		var decisions []placement.Decision
		for _, name := range names {
			decisions = append(decisions, placement.Decision{Node: name, Run: true})
		}
		p := plan.Daemon(dj, plan.DaemonObserved{Observed: plan.Observed{Jobs: own}, Placement: decisions, Nodes: nodes}, now)
		for _, creation := range p.Create {
			name := p.Runs[creation.Run].Name
			created[name]++
			creation.Job.UID = types.UID("uid-" + name)
			creation.Job.CreationTimestamp = before
			own[name] = jobs.Observe(creation.Job, nil)
			p.RecordCreated(creation.Run, creation.Job)
		}
		dj.Status = status.Daemon(dj, &p, nodes, now)
	}

	pass()
	for i, name := range names {
		kind := batchv1.JobComplete
		if fails(i) {
			kind = batchv1.JobFailed
		}
		job := own[name].Job.DeepCopy()
		job.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, Reason: "R", LastTransitionTime: metav1.NewTime(now)}}
		own[name] = jobs.Observe(job, nil)
		if i%100 == 99 {
			pass()
			if i%200 == 199 { // these are deleted, the others stay
				for _, name := range names[i-99 : i+1] {
					delete(own, name)
				}
			}
		}
		if got := int(dj.Status.Succeeded + dj.Status.Running + dj.Status.Failed); got != len(names) {
			t.Fatalf("after node %d the status knows of %d", i, got)
		}
	}

	want := said{
		State: v1alpha1.StateFailed, Progress: "996/1000", Ready: "NodeFailed", Stalled: "NodeFailed", Completed: true,
		Message: "node node-0000.example.com failed: R (and 3 more failed)",
	}
	if diff := cmp.Diff(want, shortOf(&dj.Status.Summary)); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	var listed []string
	for i := range dj.Status.Nodes {
		listed = append(listed, dj.Status.Nodes[i].Name)
	}
	if diff := cmp.Diff([]string{names[0], names[250], names[500], names[750]}, listed); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	for _, name := range names {
		if created[name] != 1 {
			t.Errorf("node %s got %d Jobs", name, created[name])
		}
	}

	settled := *dj.Status.DeepCopy()
	clear(own)
	pass()
	if diff := cmp.Diff(settled, dj.Status); diff != "" {
		t.Errorf("without its Jobs the status is another (-before +after):\n%s", diff)
	}
}

// Every node of 5,000, the most that Kubernetes is made for, waits with the longest
// message there is.
func TestAStatusOf5000NodesFitsAnObject(t *testing.T) {
	const limitOfEtcd = 1_500_000
	message := jobs.Clip(string(slices.Repeat([]byte("x"), 1000)))
	var runs []runBuilder
	for _, name := range nodeNames(5000) {
		entry := run(name).withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonUnschedulable, message)
		entry.JobUID, entry.StartTime = "01234567-89ab-cdef-0123-456789abcdef", &before
		runs = append(runs, entry)
	}
	encoded, err := json.Marshal(status.Daemon(newDaemon(), &planned(runs...).Plan, nil, now))
	if err != nil {
		t.Fatal(err)
	}
	if len(encoded) > limitOfEtcd {
		t.Errorf("%d bytes", len(encoded))
	}
}
