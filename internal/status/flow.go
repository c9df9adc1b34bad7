package status

import (
	"time"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// Flow returns the status of a JobFlow after its plan was applied.
func Flow(flow *v1alpha1.JobFlow, p *plan.Plan, now time.Time) v1alpha1.JobFlowStatus {
	if p.Ended {
		return *ended(flow).(*v1alpha1.JobFlowStatus)
	}
	c := count(p.Runs)
	v := judge("step", v1alpha1.ReasonStepFailed, p, c, int32(len(p.Runs)))
	return v1alpha1.JobFlowStatus{
		Summary: summary(&flow.Status.Summary, flow.Generation, p.StartTime, v, c, int32(len(p.Runs)), now),
		Flows:   p.Runs,
	}
}
