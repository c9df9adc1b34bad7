package cluster

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

// endedTrial is a JobFlow of two steps that has ended well.
func endedTrial(t *testing.T) *trial {
	t.Helper()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	flow := namedFlow("flow", step("a", 1), step("b", 1, "a"))
	flow.UID = "flow-uid"
	flow.Status.State = v1alpha1.StateSucceed
	ended := &trial{
		ledger:    ledger{t.TempDir()},
		record:    newHistorian(&record.Record{}),
		workloads: []workload{{parent: flow, state: v1alpha1.StateSucceed}},
	}
	for i, name := range []string{"a", "b"} {
		created := noon.Add(time.Duration(i) * time.Minute)
		job := jobOf(flow, name, "uid-"+name, created)
		flow.Status.Flows = append(flow.Status.Flows, v1alpha1.RunStatus{
			Name: name, Phase: v1alpha1.PhaseSucceeded, JobName: job.Name, JobUID: string(job.UID), Attempt: 1,
		})
		ended.record.Note(watch.Modified, job)
	}
	ended.record.Note(watch.Modified, flow.DeepCopy())
	ended.write(t, "flow a uid-a pod-a begin", "flow a uid-a pod-a end", "flow b uid-b pod-b begin", "flow b uid-b pod-b end")
	return ended
}

func jobOf(flow *v1alpha1.JobFlow, step, uid string, created time.Time) *batchv1.Job {
	job := &batchv1.Job{}
	job.Name, job.UID, job.CreationTimestamp = "flow-"+step, types.UID(uid), metav1.NewTime(created)
	job.Annotations = map[string]string{v1alpha1.RunAnnotation: step}
	job.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(flow, v1alpha1.GroupVersion.WithKind("JobFlow"))}
	job.Status.Conditions = []batchv1.JobCondition{{
		Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(created.Add(time.Minute)),
	}}
	return job
}

// write replaces the ledger.
func (t *trial) write(test *testing.T, lines ...string) {
	test.Helper()
	var content string
	for _, line := range lines {
		content += line + "\n"
	}
	if err := os.WriteFile(filepath.Join(t.ledger.dir, "lines"), []byte(content), 0o600); err != nil {
		test.Fatal(err)
	}
}

// Each invariant finds what it is for, and nothing where all is well.
func TestInvariantsFindWhatIsBroken(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, ended *trial, flow *v1alpha1.JobFlow)
		found string
	}{
		"nothing": {func(*testing.T, *trial, *v1alpha1.JobFlow) {}, ""},
		"the wrong state": {func(_ *testing.T, _ *trial, flow *v1alpha1.JobFlow) {
			flow.Status.State = v1alpha1.StateFailed
		}, "it ends as it has to"},
		"a step that has no entry": {func(_ *testing.T, _ *trial, flow *v1alpha1.JobFlow) {
			flow.Status.Flows = flow.Status.Flows[:1]
		}, "it ends as it has to"},
		"a result that is taken back": {func(_ *testing.T, ended *trial, flow *v1alpha1.JobFlow) {
			later := flow.DeepCopy()
			later.Status.Flows[0].Phase = v1alpha1.PhaseRunning
			ended.record.Note(watch.Modified, later)
		}, "a result that was recorded stays"},
		"a second Job that never ran": {func(_ *testing.T, ended *trial, flow *v1alpha1.JobFlow) {
			ended.record.Note(watch.Modified, jobOf(flow, "b", "uid-b2", time.Date(2026, 1, 1, 13, 0, 0, 0, time.UTC)))
		}, "each Job is created once an attempt"},
		"a second Job that only the ledger knows": {func(t *testing.T, ended *trial, _ *v1alpha1.JobFlow) {
			ended.write(t, "flow a uid-a pod-a begin", "flow a uid-a pod-a end",
				"flow b uid-b pod-b begin", "flow b uid-b2 pod-b2 begin", "flow b uid-b pod-b end")
		}, "each Job runs once"},
		"a second pod": {func(t *testing.T, ended *trial, _ *v1alpha1.JobFlow) {
			ended.write(t, "flow a uid-a pod-a begin", "flow a uid-a pod-a end",
				"flow b uid-b pod-b begin", "flow b uid-b pod-b2 begin", "flow b uid-b pod-b end")
		}, "each Job runs once"},
		"a success without work": {func(t *testing.T, ended *trial, _ *v1alpha1.JobFlow) {
			ended.podsDie = true
			ended.write(t, "flow a uid-a pod-a begin", "flow a uid-a pod-a end", "flow b uid-b pod-b begin")
		}, "each Job runs once"},
		"a step that begins too early": {func(t *testing.T, ended *trial, _ *v1alpha1.JobFlow) {
			ended.write(t, "flow a uid-a pod-a begin", "flow b uid-b pod-b begin", "flow a uid-a pod-a end", "flow b uid-b pod-b end")
		}, "a step begins after those that it depends on"},
		"a Job that is created before another is Complete": {func(_ *testing.T, ended *trial, flow *v1alpha1.JobFlow) {
			early := jobOf(flow, "b", "uid-b", time.Date(2026, 1, 1, 12, 0, 59, 0, time.UTC))
			ended.record.Note(watch.Modified, early)
		}, "a step begins after those that it depends on"},
		"a Job that status does not name": {func(_ *testing.T, _ *trial, flow *v1alpha1.JobFlow) {
			flow.Status.Flows[0].JobName = "another"
		}, "every Job is one that status names"},
	} {
		t.Run(name, func(t *testing.T) {
			RegisterTestingT(t)
			ended := endedTrial(t)
			w := &ended.workloads[0]
			tc.spoil(t, ended, w.parent.(*v1alpha1.JobFlow))
			for _, invariant := range invariants {
				violations := invariant.violations(ended, w)
				switch {
				case invariant.name == tc.found && len(violations) == 0:
					t.Errorf("%s: nothing is found", invariant.name)
				case tc.found == "" && len(violations) > 0:
					t.Errorf("%s: %q", invariant.name, violations)
				}
			}
		})
	}
}
