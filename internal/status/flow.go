package status

import (
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// Flow returns the status of a JobFlow after its plan was applied.
func Flow(flow *v1alpha1.JobFlow, p *plan.Plan, now time.Time) v1alpha1.JobFlowStatus {
	if p.Ended {
		return endedFlow(flow)
	}
	c := count(p.Runs)
	v := judge("step", v1alpha1.ReasonStepFailed, p, c, int32(len(p.Runs)))
	return v1alpha1.JobFlowStatus{
		Summary: summary(&flow.Status.Summary, flow.Generation, p.StartTime, v, c, int32(len(p.Runs)), now),
		Flows:   p.Runs,
	}
}

// endedFlow returns the status of a JobFlow whose end is recorded: it stays as it is.
func endedFlow(flow *v1alpha1.JobFlow) v1alpha1.JobFlowStatus {
	next := flow.Status
	next.ObservedGeneration = flow.Generation
	return next
}

// InvalidFlow returns the status of a JobFlow whose spec admission would have refused. A
// JobFlow that has ended stays as it ended: neither an edit of its spec nor a rule of a
// later version of the operator undoes that.
func InvalidFlow(flow *v1alpha1.JobFlow, errs field.ErrorList, now time.Time) v1alpha1.JobFlowStatus {
	if plan.Ended(&flow.Status.Summary) {
		return endedFlow(flow)
	}
	c := count(flow.Status.Flows)
	next := v1alpha1.JobFlowStatus{Flows: flow.Status.Flows}
	next.Summary = invalid(&flow.Status.Summary, flow.Generation, c, int32(len(flow.Spec.Flows)), errs, now)
	return next
}

// TerminatingFlow returns the status of a JobFlow that is being deleted.
func TerminatingFlow(flow *v1alpha1.JobFlow, now time.Time) v1alpha1.JobFlowStatus {
	next := flow.Status
	next.Summary = terminating(&flow.Status.Summary, flow.Generation, now)
	return next
}
