// Package plan decides, from what was read about one JobFlow or DaemonJob, which Jobs are
// created, changed and deleted now. It is pure: no client, no clock, no side effects.
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

// Observed is what was read about the Jobs of one parent in this reconcile.
type Observed struct {
	// Jobs are the Jobs that the parent controls, by step or node.
	Jobs map[string]jobs.State
	// Gone are the steps or nodes whose recorded Job a live read did not find.
	Gone map[string]bool
	// CreateFailures are the Jobs that could not be created before. The plan adds those of
	// this reconcile. May be nil.
	CreateFailures *CreateFailures
	// Unrecorded means that the status is not written yet. What may only happen once a
	// result is recorded then waits for the next reconcile.
	Unrecorded bool
}

// Plan is what has to be done for one parent, and the status of its steps or nodes before
// it is done.
type Plan struct {
	// Runs has one entry for each step or node: what is recorded, what its Job shows, or
	// what it waits for.
	Runs []v1alpha1.RunStatus
	// Create are the Jobs to create, in this order.
	Create []Creation
	// Update are the changes to Jobs that exist.
	Update []Change
	// Delete are Jobs to delete, with their pods.
	Delete []*batchv1.Job

	// Ended means that the parent's end is already recorded, and nothing starts any more.
	Ended bool
	// Suspended means that spec.suspend is true.
	Suspended bool
	// Expired means that activeDeadlineSeconds has passed.
	Expired bool
	// StartTime is when the clock of the deadline started; nil until the parent is
	// first active.
	StartTime *metav1.Time
	// DeleteParent means that ttlSecondsAfterFinished has passed.
	DeleteParent bool
	// RequeueAfter is when to reconcile again even if nothing happens; 0 for never.
	RequeueAfter time.Duration

	recorded map[string]*v1alpha1.RunStatus
	failures *CreateFailures
}

func newPlan(parent v1alpha1.Parent, seen Observed) Plan {
	p := Plan{Ended: Ended(parent), recorded: indexByName(parent.GetRuns()), failures: cmp.Or(seen.CreateFailures, &CreateFailures{})}
	if p.Ended {
		p.Runs, p.StartTime = parent.GetRuns(), parent.GetSummary().StartTime
	}
	return p
}

// Creation is a Job to create, for the entry Runs[Run].
type Creation struct {
	Run int
	Job *batchv1.Job
	// Ready is when the last dependency of the step ended; zero if it has none, or if the
	// step starts before that.
	Ready time.Time
}

// Change is a change to a Job that exists: From as it was read, To as it should be.
type Change struct {
	From, To *batchv1.Job
}

// WakeAfter makes sure that the parent is reconciled again after d at the latest.
func (p *Plan) WakeAfter(d time.Duration) {
	if d > 0 && (p.RequeueAfter == 0 || d < p.RequeueAfter) {
		p.RequeueAfter = d
	}
}
