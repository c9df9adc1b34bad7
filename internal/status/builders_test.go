package status_test

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// now is the time of every status here; conditions and clocks that were recorded
// before are a minute old.
var (
	now    = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	before = metav1.NewTime(now.Add(-time.Minute))
)

// generation is that of the objects. What was recorded before is one older.
const generation = 2

func newFlow() *v1alpha1.JobFlow {
	return &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", Generation: generation}}
}

func newDaemon() *v1alpha1.DaemonJob {
	return &v1alpha1.DaemonJob{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", Generation: generation}}
}

// recordedCondition is a condition in a status that was written before.
func recordedCondition(s *v1alpha1.Summary, kind string, is metav1.ConditionStatus, reason string) {
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{
		Type: kind, Status: is, Reason: reason, ObservedGeneration: generation - 1, LastTransitionTime: before,
	})
}

// planBuilder makes a plan that was applied.
type planBuilder struct{ plan.Plan }

func planned(runs ...runBuilder) *planBuilder {
	b := &planBuilder{plan.Plan{StartTime: &before}}
	for _, run := range runs {
		b.Runs = append(b.Runs, run.RunStatus)
	}
	return b
}

func (b *planBuilder) suspended() *planBuilder {
	b.Suspended = true
	return b
}

func (b *planBuilder) expired() *planBuilder {
	b.Expired = true
	return b
}

func (b *planBuilder) ended() *planBuilder {
	b.Ended = true
	return b
}

// runBuilder makes the entry of a step or node.
type runBuilder struct{ v1alpha1.RunStatus }

// run is an entry that waits for its turn and has no Job.
func run(name string) runBuilder {
	return runBuilder{v1alpha1.RunStatus{Name: name, Phase: v1alpha1.PhaseWaiting}}
}

func (b runBuilder) withJob(phase v1alpha1.Phase) runBuilder {
	b.Phase, b.JobName, b.JobUID, b.Attempt = phase, "p-"+b.Name, "uid-"+b.Name, 1
	return b
}

func (b runBuilder) running() runBuilder   { return b.withJob(v1alpha1.PhaseRunning) }
func (b runBuilder) succeeded() runBuilder { return b.withJob(v1alpha1.PhaseSucceeded) }

func (b runBuilder) failed(reason, message string) runBuilder {
	return b.withJob(v1alpha1.PhaseFailed).because(reason, message)
}

func (b runBuilder) skipped(reason string) runBuilder {
	b.Phase = v1alpha1.PhaseSkipped
	return b.because(reason, "")
}

func (b runBuilder) because(reason, message string) runBuilder {
	b.Reason, b.Message = reason, message
	return b
}

func entries(runs ...runBuilder) []v1alpha1.RunStatus { return planned(runs...).Runs }

// nodeNames are n names of nodes.
func nodeNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("node-%04d.example.com", i)
	}
	return names
}

// inWords are the conditions as "Type=Status Reason", and "since now" for one that
// has just changed.
func inWords(conditions []metav1.Condition) []string {
	var words []string
	for _, c := range conditions {
		text := fmt.Sprintf("%s=%s %s", c.Type, c.Status, c.Reason)
		if c.LastTransitionTime.Time.Equal(now) {
			text += " since now"
		}
		words = append(words, text)
	}
	return words
}
