// Package plan decides, from what was read about one JobFlow or DaemonJob, which
// Jobs are to be created, changed and deleted now. It is pure: no client, no
// clock, no side effects.
//
//	steps.go           the rules of a step, in order: when does it start?
//	nodes.go           the rules of a node, in order: when does it get its Job?
//	flow.go            the plan of a JobFlow
//	daemon.go          the plan of a DaemonJob
//	ledger.go          what is known of each step or node, and never forgotten
//	clock.go           suspension, deadline and TTL of the whole
//	createfailures.go  creations that failed: what to show, and what to try first
//	adjust.go          changes to Jobs that exist
//	applied.go         the results of a plan's creations
package plan

import (
	"cmp"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// Observed is what was read about the Jobs of one parent in this pass.
type Observed struct {
	// Jobs are the Jobs that the parent controls, by the step or node that they
	// are for.
	Jobs map[string]jobs.State
	// Gone are the steps or nodes whose recorded Job a live read did not find.
	Gone map[string]bool
	// CreateFailures are the Jobs that could not be created before, to which the plan adds
	// those of this pass; nil for none.
	CreateFailures *CreateFailures
	// Unrecorded says that the status which is planned from is not written yet. What
	// may only happen once a result is recorded then waits for the next pass.
	Unrecorded bool
}

// Plan is what is to be done for one parent, and what is known of its steps or
// nodes before it is done.
type Plan struct {
	// Runs has one entry a step or node: what is recorded, what its Job says, or
	// what it waits for.
	Runs []v1alpha1.RunStatus
	// Create are the Jobs to create, in the order in which they matter.
	Create []Creation
	// Update are the changes to Jobs that exist.
	Update []Change
	// Delete are Jobs to delete, with their pods.
	Delete []*batchv1.Job

	// Ended says that the parent's end is already recorded; nothing starts any more.
	Ended bool
	// Suspended says that the parent is held by spec.suspend.
	Suspended bool
	// Expired says that activeDeadlineSeconds has passed.
	Expired bool
	// StartTime is when the clock of the deadline started; nil until the parent is
	// first active.
	StartTime *metav1.Time
	// DeleteParent says that ttlSecondsAfterFinished has passed.
	DeleteParent bool
	// RequeueAfter is when to look again though nothing may have happened; 0 for
	// never.
	RequeueAfter time.Duration

	recorded map[string]*v1alpha1.RunStatus
	failures *CreateFailures
}

func newPlan(recorded []v1alpha1.RunStatus, seen Observed) Plan {
	return Plan{recorded: byName(recorded), failures: cmp.Or(seen.CreateFailures, &CreateFailures{})}
}

// Creation is a Job to create for the entry Runs[Run].
type Creation struct {
	Run int
	Job *batchv1.Job
	// Ready is when the last dependency of the step ended; zero without one, or if
	// the step starts before that.
	Ready time.Time
}

// Change is a change to a Job that exists: From as it was read, To as it should be.
type Change struct {
	From, To *batchv1.Job
}

// WakeAfter makes sure that the parent is looked at again after d at the latest.
func (p *Plan) WakeAfter(d time.Duration) {
	if d > 0 && (p.RequeueAfter == 0 || d < p.RequeueAfter) {
		p.RequeueAfter = d
	}
}
