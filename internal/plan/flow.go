package plan

import (
	"fmt"
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

// flowPlan is the plan of one JobFlow in the making.
type flowPlan struct {
	Plan
	flow      *v1alpha1.JobFlow
	graph     *graph.Graph
	templates map[string]*batchv1.JobSpec
	jobs      map[string]jobs.State
	active    int32 // Jobs that run, with those about to be created
}

// Flow plans a JobFlow whose spec is valid. steps is the graph of its steps.
func Flow(flow *v1alpha1.JobFlow, steps *graph.Graph, seen FlowObserved, now time.Time) Plan {
	p := &flowPlan{Plan: newPlan(flow.Status.Flows, seen.Observed), flow: flow, graph: steps, templates: seen.Templates, jobs: seen.Jobs}

	if Ended(flow) {
		p.Ended = true
		p.Runs = flow.Status.Flows
		p.StartTime = flow.Status.StartTime
		if !seen.Unrecorded {
			p.checkTTL(flow.Spec.TTLSecondsAfterFinished, flow.Status.CompletionTime, now)
		}
		// Every result is recorded, whether or not it was read.
		for _, name := range slices.Sorted(maps.Keys(seen.Jobs)) {
			p.adjust(seen.Jobs[name], !seen.Unrecorded, nil)
		}
	} else {
		p.startClock(&flow.Status.Summary, ptr.Deref(flow.Spec.Suspend, false), now)
		p.checkDeadline(flow.Spec.ActiveDeadlineSeconds, now)
		p.Runs = make([]v1alpha1.RunStatus, len(flow.Spec.Flows))
		for i := range flow.Spec.Flows {
			name := flow.Spec.Flows[i].Name
			p.Runs[i] = seen.known(name, p.recorded[name], now)
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
	}
	return p.Plan
}

// startSteps decides for every step without a Job: it starts, waits, or is
// skipped because the flow goes to its end without it.
func (p *flowPlan) startSteps(now time.Time) {
	culprit, blame := p.blame()
	var open []int
	for i := range p.Runs {
		run := &p.Runs[i]
		if run.JobUID != "" || Final(run.Phase) {
			continue
		}
		switch {
		case p.Expired:
			skip(run, v1alpha1.ReasonDeadlineExceeded, "the flow's activeDeadlineSeconds passed before the step could start")
		case blame[i] != nobody:
			skip(run, v1alpha1.ReasonDependencyFailed, fmt.Sprintf("depends on step %s, which failed", p.Runs[blame[i]].Name))
		case culprit != nobody:
			skip(run, v1alpha1.ReasonFlowFailed, fmt.Sprintf("step %s failed before this one could start", p.Runs[culprit].Name))
		default:
			open = append(open, i)
		}
	}
	p.failures.sort(open, p.Runs, p.recorded, now)
	for _, i := range open {
		p.startStep(i)
	}
}

const nobody = -1

// blame finds the first failed step, and for each step the failed one that it
// depends on, directly or not.
func (p *flowPlan) blame() (culprit int, blame []int) {
	culprit = nobody
	blame = make([]int, len(p.Runs))
	for _, i := range p.graph.Order() {
		blame[i] = nobody
		for _, dependency := range p.graph.Dependencies(i) {
			if p.Runs[dependency].Phase == v1alpha1.PhaseFailed {
				blame[i] = dependency
				break
			}
			if blame[dependency] != nobody {
				blame[i] = blame[dependency]
			}
		}
		if p.Runs[i].Phase == v1alpha1.PhaseFailed && (culprit == nobody || i < culprit) {
			culprit = i
		}
	}
	return culprit, blame
}

// explainDeadline names the deadline as the cause where it was we who deleted a
// Job for it: that was suspended, since it cannot be ended otherwise.
func (p *flowPlan) explainDeadline(run, recorded *v1alpha1.RunStatus) {
	if !p.Expired || run.Reason != v1alpha1.ReasonJobDeleted || recorded == nil {
		return
	}
	if recorded.Reason == v1alpha1.ReasonQueued || recorded.Reason == v1alpha1.ReasonSuspended {
		run.Reason = v1alpha1.ReasonDeadlineExceeded
		run.Message = "the flow's activeDeadlineSeconds passed while the Job was suspended"
	}
}

func skip(run *v1alpha1.RunStatus, reason, message string) {
	run.Phase, run.Reason, run.Message = v1alpha1.PhaseSkipped, reason, jobs.Clip(message)
}

func wait(run *v1alpha1.RunStatus, reason, message string) {
	run.Phase, run.Reason, run.Message = v1alpha1.PhaseWaiting, reason, jobs.Clip(message)
}
