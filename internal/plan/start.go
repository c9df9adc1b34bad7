package plan

import (
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// When does a step start? When it passes every one of these gates, asked in this
// order. A gate that holds it gives the reason and message that status shows.
var startGates = []func(p *flowPlan, step int) (reason, message string){
	(*flowPlan).notSuspended,
	(*flowPlan).dependenciesDone,
	(*flowPlan).jobTemplateUsable,
	(*flowPlan).parallelismLeft,
}

func (p *flowPlan) startStep(step int) {
	for _, gate := range startGates {
		if reason, message := gate(p, step); reason != "" {
			if was := p.recorded[p.Runs[step].Name]; reason == v1alpha1.ReasonParallelism && createFailed(was) {
				// Steps that are tried in turn must not take turns in status too.
				reason, message = was.Reason, was.Message
			}
			wait(&p.Runs[step], reason, message)
			return
		}
	}
	spec := &p.flow.Spec.Flows[step]
	p.Create = append(p.Create, Creation{Run: step, Job: jobs.ForStep(p.flow, spec, p.template(spec)), Ready: p.readySince(step)})
	p.active++
}

// readySince is when the last dependency of a step ended; zero if that is not known,
// since the step starts before.
func (p *flowPlan) readySince(step int) time.Time {
	var last time.Time
	for _, dependency := range p.graph.Dependencies(step) {
		end := p.Runs[dependency].CompletionTime
		if end == nil {
			return time.Time{}
		}
		if end.After(last) {
			last = end.Time
		}
	}
	return last
}

// notSuspended: nothing starts while spec.suspend is true.
func (p *flowPlan) notSuspended(int) (reason, message string) {
	if p.Suspended {
		return v1alpha1.ReasonSuspended, "waits for spec.suspend to be false"
	}
	return "", ""
}

// dependenciesDone: the Job of every dependency has the condition Complete, or, with
// startOn PodsSucceeded, pods that prove that it will.
func (p *flowPlan) dependenciesDone(step int) (reason, message string) {
	const named = 3
	var open []string
	more := 0
	for _, dependency := range p.graph.Dependencies(step) {
		if p.done(dependency) {
			continue
		}
		if len(open) == named {
			more++
			continue
		}
		open = append(open, p.Runs[dependency].Name)
	}
	if len(open) == 0 {
		return "", ""
	}
	message = "waits for " + strings.Join(open, ", ")
	if more > 0 {
		message += fmt.Sprintf(" and %d more", more)
	}
	return v1alpha1.ReasonDependency, message
}

func (p *flowPlan) done(step int) bool {
	return p.Runs[step].Phase == v1alpha1.PhaseSucceeded || p.certain(step)
}

// certain: with startOn PodsSucceeded, nothing of the step's Job runs any more and
// it will be Complete.
func (p *flowPlan) certain(step int) bool {
	run := &p.Runs[step]
	return p.flow.Spec.StartOn == v1alpha1.StartOnPodsSucceeded && run.Phase == v1alpha1.PhaseRunning && p.jobs[run.Name].Certain
}

// jobTemplateUsable: a JobTemplate that the step refers to exists and gives a Job
// that can be built. Both can be mended, so the step waits.
func (p *flowPlan) jobTemplateUsable(step int) (reason, message string) {
	spec := &p.flow.Spec.Flows[step]
	if spec.JobTemplateRef == "" {
		return "", ""
	}
	template := p.template(spec)
	if template == nil {
		return v1alpha1.ReasonJobTemplateMissing,
			fmt.Sprintf("there is no JobTemplate %q in namespace %q; create it and the step starts", spec.JobTemplateRef, p.flow.Namespace)
	}
	if errs := validation.StepTemplate(p.flow, spec, template, field.NewPath("spec", "jobTemplate")); len(errs) > 0 {
		return v1alpha1.ReasonInvalidJobTemplate,
			fmt.Sprintf("JobTemplate %q cannot be used: %s", spec.JobTemplateRef, errs.ToAggregate())
	}
	return "", ""
}

// parallelismLeft: fewer Jobs run than spec.parallelism allows.
func (p *flowPlan) parallelismLeft(int) (reason, message string) {
	limit := p.flow.Spec.Parallelism
	if limit == nil || p.active < *limit {
		return "", ""
	}
	return v1alpha1.ReasonParallelism, fmt.Sprintf("waits for one of the %d Jobs that spec.parallelism allows at a time", *limit)
}

// template is the spec of the step's Job, nil if it refers to a JobTemplate that
// does not exist.
func (p *flowPlan) template(step *v1alpha1.FlowStep) *batchv1.JobSpec {
	if step.JobTemplateRef != "" {
		return p.templates[step.JobTemplateRef]
	}
	return step.JobTemplate
}
