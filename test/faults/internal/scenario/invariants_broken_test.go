package scenario

import (
	"slices"
	"strconv"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// story is what happens to a JobFlow of two steps, told to a record.
type story struct {
	world   *World
	version int
	flow    *v1alpha1.JobFlow
}

func newStory() *story {
	s := &story{world: &World{Namespace: "n", Record: harness.EmptyRecord(), scenario: &Scenario{}, ledger: &ledger{}}}
	s.world.Record.OnChange(s.world.ledger.note)
	s.flow = &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: flowName, UID: "flow"}}
	s.flow.Spec.Flows = []v1alpha1.FlowStep{{Name: "a"}, {Name: "b", Dependencies: []string{"a"}}}
	s.flow.Status.Flows = []v1alpha1.RunStatus{{Name: "a", Phase: v1alpha1.PhaseWaiting}, {Name: "b", Phase: v1alpha1.PhaseWaiting}}
	s.write(s.flow)
	return s
}

func (s *story) tell(what watch.EventType, object client.Object) {
	s.version++
	object.SetResourceVersion(strconv.Itoa(s.version))
	s.world.Record.Note(what, object.DeepCopyObject().(client.Object))
}

func (s *story) write(object client.Object) { s.tell(watch.Modified, object) }

// status changes an entry of the flow's.
func (s *story) status(step int, change func(run *v1alpha1.RunStatus)) {
	change(&s.flow.Status.Flows[step])
	s.write(s.flow)
}

// creates has a Job of a step created, and complete.
func (s *story) creates(step int, uid types.UID) *batchv1.Job {
	name := s.flow.Spec.Flows[step].Name
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: "n", Name: flowName + "-" + name, UID: uid, Annotations: map[string]string{v1alpha1.RunAnnotation: name},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s.flow, v1alpha1.GroupVersion.WithKind("JobFlow"))},
	}}
	s.write(job)
	return job
}

func (s *story) completes(job *batchv1.Job) {
	job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
	s.write(job)
}

// records has the status say what a Job has come to.
func (s *story) records(step int, job *batchv1.Job) {
	s.status(step, func(run *v1alpha1.RunStatus) {
		run.Phase, run.JobName, run.JobUID, run.Attempt = v1alpha1.PhaseSucceeded, job.Name, string(job.UID), 1
	})
}

// runs is all of that.
func (s *story) runs(step int, uid types.UID) *batchv1.Job {
	job := s.creates(step, uid)
	s.completes(job)
	s.records(step, job)
	return job
}

func (s *story) ends() {
	s.flow.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue}}
	s.write(s.flow)
}

// Each invariant finds what it is for, and nothing where all is well.
func TestInvariantsFindWhatIsBroken(t *testing.T) {
	const (
		once   = "every step's Job is created once an attempt"
		order  = "a Job is created after its dependencies are done"
		orphan = "no Job is an orphan"
		stays  = "a result that is recorded stays"
		after  = "nothing is created after the end"
	)
	for name, c := range map[string]struct {
		happens func(s *story)
		want    []string
	}{
		"nothing": {func(s *story) {
			s.runs(0, "1")
			s.runs(1, "2")
			s.ends()
		}, nil},
		"a second Job, after the first was deleted": {func(s *story) {
			first := s.runs(0, "1")
			s.tell(watch.Deleted, first)
			second := s.creates(0, "2")
			s.tell(watch.Deleted, second)
		}, []string{once}},
		"an attempt too many in status": {func(s *story) {
			s.runs(0, "1")
			s.status(1, func(run *v1alpha1.RunStatus) { run.Attempt = 1 })
		}, []string{once}},
		"a step that starts early": {func(s *story) {
			first := s.creates(0, "1")
			s.runs(1, "2")
			s.completes(first)
			s.records(0, first)
		}, []string{order}},
		"a step that starts when its dependency has failed": {func(s *story) {
			first := s.creates(0, "1")
			first.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue}}
			s.write(first)
			s.records(0, first)
			s.runs(1, "2")
		}, []string{order}},
		"a Job whose flow is gone": {func(s *story) {
			s.runs(0, "1")
			s.tell(watch.Deleted, s.flow)
		}, []string{orphan}},
		"a Job that status does not know": {func(s *story) {
			s.runs(0, "1")
			s.runs(1, "2")
			s.status(1, func(run *v1alpha1.RunStatus) { run.Phase, run.JobUID, run.Attempt = v1alpha1.PhaseWaiting, "", 1 })
		}, []string{orphan, stays}},
		"a result that is taken back": {func(s *story) {
			s.runs(0, "1")
			s.status(0, func(run *v1alpha1.RunStatus) { run.Phase = v1alpha1.PhaseFailed })
		}, []string{stays}},
		"an entry that is lost": {func(s *story) {
			s.runs(0, "1")
			s.flow.Status.Flows = s.flow.Status.Flows[:1]
			s.write(s.flow)
		}, []string{stays}},
		"an end that is taken back": {func(s *story) {
			s.ends()
			s.flow.Status.Conditions = nil
			s.write(s.flow)
		}, []string{stays}},
		"a Job after the end": {func(s *story) {
			s.runs(0, "1")
			s.ends()
			s.runs(1, "2")
		}, []string{after}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory()
			c.happens(s)
			var found []string
			for _, invariant := range Invariants {
				if broken := invariant.Broken(s.world); len(broken) > 0 {
					found = append(found, invariant.Name)
					t.Log(broken)
				}
			}
			if !slices.Equal(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}
