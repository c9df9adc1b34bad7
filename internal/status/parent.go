package status

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// ended is the status of a parent whose end is recorded: it stays.
func ended(parent v1alpha1.Parent) v1alpha1.ParentStatus {
	next := parent.GetStatus()
	next.GetSummary().ObservedGeneration = parent.GetGeneration()
	return next
}

// Invalid is the status of a parent whose spec admission would have refused. One that
// has ended keeps its end: neither a later edit of the spec nor a rule that a later version
// adds undoes it.
func Invalid(parent v1alpha1.Parent, errs field.ErrorList, now time.Time) v1alpha1.ParentStatus {
	if plan.Ended(parent) {
		return ended(parent)
	}
	messages := make([]string, len(errs))
	for i, err := range errs {
		messages[i] = err.Error()
	}
	v := verdict{
		state:   v1alpha1.StateFailed,
		reason:  v1alpha1.ReasonInvalidSpec,
		message: strings.Join(messages, ", "),
		stalled: true,
	}
	previous, next := parent.GetSummary(), parent.GetStatus()
	c, desired := recorded(parent)
	*next.GetSummary() = summary(previous, parent.GetGeneration(), previous.StartTime, v, c, desired, now)
	next.GetSummary().CompletionTime = nil // the spec may be fixed
	return next
}

// recorded counts the runs in the status of a parent, and how many there are to be.
func recorded(parent v1alpha1.Parent) (c v1alpha1.Summary, desired int32) {
	c = count(parent.GetRuns())
	switch parent := parent.(type) {
	case *v1alpha1.JobFlow:
		desired = int32(len(parent.Spec.Flows))
	case *v1alpha1.DaemonJob:
		c.Succeeded += int32(plan.Digest(parent.Status.SucceededDigest).Len())
		desired = parent.Status.Desired
	}
	return c, desired
}

// Terminating is the status of a parent that is being deleted.
func Terminating(parent v1alpha1.Parent, now time.Time) v1alpha1.ParentStatus {
	v := verdict{
		state:   v1alpha1.StateTerminating,
		reason:  v1alpha1.ReasonTerminating,
		message: "the object is being deleted, and its Jobs and pods with it",
	}
	next := parent.GetStatus()
	s := next.GetSummary()
	s.State, s.Message, s.ObservedGeneration = v.state, v.message, parent.GetGeneration()
	if !plan.Ended(parent) {
		s.Conditions = conditions(s.Conditions, parent.GetGeneration(), v, now)
	}
	return next
}
