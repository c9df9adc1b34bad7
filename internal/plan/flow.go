package plan

import (
	"maps"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// FlowObserved is what was read about one JobFlow.
type FlowObserved struct {
	Observed
	// Templates are the specs of the JobTemplates that exist, by name.
	Templates map[string]*batchv1.JobSpec
}

// flowPlan is the plan of one JobFlow while it is made.
type flowPlan struct {
	Plan
	flow      *v1alpha1.JobFlow
	graph     *graph.Graph
	templates map[string]*batchv1.JobSpec
	jobs      map[string]jobs.State
	active    int32 // Jobs that run or are about to be created

	firstFailed      int   // of the steps in the list, or none
	failedDependency []int // of each step, or none
}

// Flow plans a JobFlow whose spec is valid. steps is the graph of its steps.
func Flow(flow *v1alpha1.JobFlow, steps *graph.Graph, seen FlowObserved, now time.Time) Plan {
	p := &flowPlan{Plan: newPlan(flow, seen.Observed), flow: flow, graph: steps, templates: seen.Templates, jobs: seen.Jobs}

	if p.Ended {
		if !seen.Unrecorded {
			p.checkTTL(flow.Spec.TTLSecondsAfterFinished, flow.Status.CompletionTime, now)
		}
		// Every result is recorded, whether or not it was read.
		for _, name := range slices.Sorted(maps.Keys(seen.Jobs)) {
			p.adjust(seen.Jobs[name], !seen.Unrecorded, nil)
		}
		return p.Plan
	}
	p.startClock(&flow.Status.Summary, ptr.Deref(flow.Spec.Suspend, false), now)
	p.checkDeadline(flow.Spec.ActiveDeadlineSeconds, now)
	p.Runs = make([]v1alpha1.RunStatus, len(flow.Spec.Flows))
	for i := range flow.Spec.Flows {
		name := flow.Spec.Flows[i].Name
		p.Runs[i] = seen.makeEntry(name, p.recorded[name], now)
		p.explainDeadline(&p.Runs[i], p.recorded[name])
		if Active(&p.Runs[i]) && !p.certain(i) {
			p.active++
		}
	}
	p.startSteps(now)
	for i := range p.Runs {
		if job, ok := seen.Jobs[p.Runs[i].Name]; ok {
			was := p.recorded[p.Runs[i].Name]
			p.adjust(job, was != nil && Final(was.Phase) && !seen.Unrecorded, nil)
		}
	}
	return p.Plan
}

// explainDeadline names the deadline as the cause where the operator deleted a Job for it:
// a Job that was suspended, which cannot be ended otherwise.
func (p *flowPlan) explainDeadline(run, recorded *v1alpha1.RunStatus) {
	if !p.Expired || run.Reason != v1alpha1.ReasonJobDeleted || recorded == nil {
		return
	}
	if recorded.Reason == v1alpha1.ReasonQueued || recorded.Reason == v1alpha1.ReasonSuspended {
		run.Reason = v1alpha1.ReasonDeadlineExceeded
		run.Message = "the flow's activeDeadlineSeconds passed while the Job was suspended"
	}
}
