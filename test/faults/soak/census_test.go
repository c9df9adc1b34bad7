package main

import (
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Every invariant is seen to fail where it is broken: a census that finds nothing
// would be content with any operator.
func TestCensus(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(c *census)
		want    []string
	}{
		"a chain runs to its end": {
			func(c *census) {
				c.seeJob(job("chain-1", "a", "1", batchv1.JobComplete))
				c.seeJob(job("chain-1", "b", "2", batchv1.JobComplete))
				c.seeParent(flow("chain-1", v1alpha1.StateSucceed, "a", "b"))
				c.parentGone(flow("chain-1", v1alpha1.StateSucceed, "a", "b"))
			}, nil,
		},
		"a step runs twice": {
			func(c *census) {
				c.seeJob(job("chain-1", "a", "1", batchv1.JobComplete))
				c.seeJob(job("chain-1", "a", "2", ""))
			}, []string{"chain-1: the Job of step a is created 2 times"},
		},
		"a step starts early": {
			func(c *census) {
				c.seeJob(job("chain-1", "a", "1", ""))
				c.seeJob(job("chain-1", "b", "2", ""))
			}, []string{"chain-1: step b started before a was done"},
		},
		"a step starts when its dependency has failed": {
			func(c *census) {
				c.seeJob(job("chain-1", "a", "1", batchv1.JobFailed))
				c.seeJob(job("chain-1", "b", "2", ""))
			}, []string{"chain-1: step b started before a was done"},
		},
		"a step starts when pods prove that its dependency will be Complete": {
			func(c *census) {
				c.seeJob(job("pods-1", "a", "1", ""))
				c.podSucceeds(job("pods-1", "a", "1", ""))
				c.seeJob(job("pods-1", "b", "2", ""))
			}, nil,
		},
		"a pod succeeds before the census sees its Job": {
			func(c *census) {
				c.podSucceeds(job("pods-1", "a", "1", ""))
				c.seeJob(job("pods-1", "a", "1", ""))
				c.seeJob(job("pods-1", "b", "2", ""))
			}, nil,
		},
		"a flow fails that should not": {
			func(c *census) { c.seeParent(flow("chain-1", v1alpha1.StateFailed, "a", "b")) },
			[]string{`chain-1: ended as Failed instead of "Succeed": `},
		},
		"a step has another end than expected": {
			func(c *census) { c.seeParent(flow("fails-1", v1alpha1.StateFailed, "a", "b")) },
			[]string{"fails-1: b ended as Succeeded instead of Failed:  "},
		},
		"a step is Skipped and its Job is there": {
			func(c *census) {
				c.seeJob(job("deadline-1", "a", "1", ""))
				c.seeParent(skipped("deadline-1", "a"))
			}, []string{"deadline-1: step a has a Job and is Skipped"},
		},
		"a step is Skipped and its Job shows up later": {
			func(c *census) {
				c.seeParent(skipped("deadline-1", "a"))
				c.seeJob(job("deadline-1", "a", "1", ""))
			}, []string{"deadline-1: step a has a Job and is Skipped"},
		},
		"a flow ends and goes on": {
			func(c *census) {
				c.seeParent(flow("chain-1", v1alpha1.StateSucceed))
				c.seeParent(flow("chain-1", v1alpha1.StateRunning))
			}, []string{"chain-1: had ended and is Running again"},
		},
		"a flow is deleted too early": {
			func(c *census) { c.parentGone(flow("chain-1", v1alpha1.StateRunning)) },
			[]string{"chain-1: was deleted before it had ended"},
		},
		"a node runs a DaemonJob twice": {
			func(c *census) {
				c.nodeJoins("node-00")
				c.seeJob(job("daemon-1", "node-00", "1", ""))
				c.seeJob(job("daemon-1", "node-00", "2", ""))
			}, []string{"daemon-1: Job daemon-1-node-00 is number 2 in 1 lives of the node"},
		},
		"a node that came back runs a DaemonJob again": {
			func(c *census) {
				c.nodeJoins("node-16")
				c.seeJob(job("daemon-1", "node-16", "1", ""))
				c.nodeJoins("node-16")
				c.seeJob(job("daemon-1", "node-16", "2", ""))
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCensus()
			test.happens(c)
			if !slices.Equal(c.violations, test.want) {
				t.Errorf("violations %q, want %q", c.violations, test.want)
			}
		})
	}
}

func job(parent, run string, uid types.UID, end batchv1.JobConditionType) *batchv1.Job {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: parent + "-" + run, UID: uid, Annotations: map[string]string{v1alpha1.RunAnnotation: run},
		OwnerReferences: []metav1.OwnerReference{{Name: parent, UID: types.UID(parent), Controller: new(true)}},
	}}
	if end != "" {
		job.Status.Conditions = []batchv1.JobCondition{{Type: end, Status: corev1.ConditionTrue}}
	}
	return job
}

// flow is one all of whose steps have Succeeded.
func flow(name string, state v1alpha1.State, steps ...string) client.Object {
	f := &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	f.Status.State = state
	for _, step := range steps {
		f.Status.Flows = append(f.Status.Flows, v1alpha1.RunStatus{Name: step, Phase: v1alpha1.PhaseSucceeded})
	}
	return f
}

// skipped is a flow that has Failed, with a step that was never started.
func skipped(name, step string) client.Object {
	f := flow(name, v1alpha1.StateFailed, step).(*v1alpha1.JobFlow)
	f.Status.Flows[0].Phase = v1alpha1.PhaseSkipped
	return f
}
