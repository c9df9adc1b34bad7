package status

import (
	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// Transition is the difference between two statuses of a JobFlow or DaemonJob.
type Transition struct {
	Previous, Next *v1alpha1.Summary
	// Runs is the number of steps or nodes that the next status lists.
	Runs int
	// Changed are the steps and nodes to which something happened, in the order of the
	// status.
	Changed []RunChange

	failedEvent string
}

// RunChange is what happened to one step or node.
type RunChange struct {
	*v1alpha1.RunStatus
	Created bool // its Job was created
	Ended   bool // it has its result now
	Skipped bool // it is skipped now
	Waits   bool // it waits, for another reason than before
}

// Compare returns the difference between two statuses of a parent.
func Compare(previous, next v1alpha1.ParentStatus) *Transition {
	previousRuns, nextRuns := previous.GetRuns(), next.GetRuns()
	t := &Transition{Previous: previous.GetSummary(), Next: next.GetSummary(), Runs: len(nextRuns), failedEvent: v1alpha1.EventStepFailed}
	if _, daemon := next.(*v1alpha1.DaemonJobStatus); daemon {
		t.failedEvent = v1alpha1.EventNodeFailed
	}
	index := make(map[string]*v1alpha1.RunStatus, len(previousRuns))
	for i := range previousRuns {
		index[previousRuns[i].Name] = &previousRuns[i]
	}
	for i := range nextRuns {
		run, before := &nextRuns[i], index[nextRuns[i].Name]
		if before == nil {
			before = &v1alpha1.RunStatus{}
		}
		change := RunChange{
			RunStatus: run,
			Created:   run.JobUID != "" && run.JobUID != before.JobUID,
			Ended:     plan.Final(run.Phase) && !plan.Final(before.Phase),
			Skipped:   run.Phase == v1alpha1.PhaseSkipped && before.Phase != v1alpha1.PhaseSkipped,
			Waits:     run.Phase == v1alpha1.PhaseWaiting && run.Reason != "" && run.Reason != before.Reason,
		}
		if change.Created || change.Ended || change.Skipped || change.Waits {
			t.Changed = append(t.Changed, change)
		}
	}
	return t
}

// StateChanged reports whether the object's state is another than before.
func (t *Transition) StateChanged() bool { return t.Previous.State != t.Next.State }

// CreatedJob reports whether a Job was created.
func (t *Transition) CreatedJob() bool {
	for _, change := range t.Changed {
		if change.Created {
			return true
		}
	}
	return false
}
