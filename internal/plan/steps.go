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

// stepRules are the answer to "when does a step start?": when it has neither a Job nor a
// result, and passes all of them. The first one that it does not pass gives the reason and
// message that status shows.
var stepRules = rules[step]{
	// Cancellation belongs here: it skips every step.
	step.deadlinePassed,   // skip
	step.dependencyFailed, // skip
	step.flowFailed,       // skip
	step.suspended,        // wait
	step.dependencyOpen,   // wait
	// Conditions (when) belong here: they need the results of the dependencies.
	step.jobTemplateUnusable, // wait
	step.createFailed,        // wait
	step.parallelismUsedUp,   // wait
}

// step is one step of a flow that has neither a Job nor a result.
type step struct {
	plan  *flowPlan
	index int
}

// startSteps decides about each step that has neither a Job nor a result.
func (p *flowPlan) startSteps(now time.Time) {
	p.firstFailed, p.failedDependency = p.findFailures()
	var open []int
	for i := range p.Runs {
		if p.Runs[i].JobUID == "" && !Final(p.Runs[i].Phase) {
			open = append(open, i)
		}
	}
	p.failures.sort(open, p.Runs, p.recorded, now)
	for _, i := range open {
		if f := stepRules.decide(step{p, i}); f != start {
			f.record(&p.Runs[i])
			continue
		}
		spec := &p.flow.Spec.Flows[i]
		p.Create = append(p.Create, Creation{Run: i, Job: jobs.ForStep(p.flow, spec, p.template(spec)), Ready: p.readySince(i)})
		p.active++
	}
}

// deadlinePassed: activeDeadlineSeconds has passed.
func (s step) deadlinePassed() fate {
	if !s.plan.Expired {
		return start
	}
	return skip(v1alpha1.ReasonDeadlineExceeded, "the flow's activeDeadlineSeconds passed before the step could start")
}

// dependencyFailed: a step that this one depends on, directly or not, failed.
func (s step) dependencyFailed() fate {
	failed := s.plan.failedDependency[s.index]
	if failed == none {
		return start
	}
	return skip(v1alpha1.ReasonDependencyFailed, fmt.Sprintf("depends on step %s, which failed", s.plan.Runs[failed].Name))
}

// flowFailed: any other step failed. The flow ends as Failed without this one.
func (s step) flowFailed() fate {
	failed := s.plan.firstFailed
	if failed == none {
		return start
	}
	return skip(v1alpha1.ReasonFlowFailed, fmt.Sprintf("step %s failed before this one could start", s.plan.Runs[failed].Name))
}

// suspended: nothing starts while spec.suspend is true.
func (s step) suspended() fate { return s.plan.waitIfSuspended() }

// dependencyOpen: the Job of a dependency is not Complete, and, with startOn PodsSucceeded,
// its pods do not prove that it will be.
func (s step) dependencyOpen() fate {
	const maxNamed = 3
	var open []string
	for _, dependency := range s.plan.graph.Dependencies(s.index) {
		if s.plan.Runs[dependency].Phase != v1alpha1.PhaseSucceeded && !s.plan.certain(dependency) {
			open = append(open, s.plan.Runs[dependency].Name)
		}
	}
	switch more := len(open) - maxNamed; {
	case len(open) == 0:
		return start
	case more > 0:
		return wait(v1alpha1.ReasonDependency, fmt.Sprintf("waits for %s and %d more", strings.Join(open[:maxNamed], ", "), more))
	}
	return wait(v1alpha1.ReasonDependency, "waits for "+strings.Join(open, ", "))
}

// jobTemplateUnusable: the JobTemplate that the step refers to does not exist, or gives no
// Job that can be built. Both can be fixed, so the step waits.
func (s step) jobTemplateUnusable() fate {
	flow := s.plan.flow
	spec := &flow.Spec.Flows[s.index]
	if spec.JobTemplateRef == "" {
		return start
	}
	template := s.plan.template(spec)
	if template == nil {
		return wait(v1alpha1.ReasonJobTemplateMissing,
			fmt.Sprintf("there is no JobTemplate %q in namespace %q; create it and the step starts", spec.JobTemplateRef, flow.Namespace))
	}
	if errs := validation.StepTemplate(flow, spec, template, field.NewPath("spec", "jobTemplate")); len(errs) > 0 {
		return wait(v1alpha1.ReasonInvalidJobTemplate,
			fmt.Sprintf("JobTemplate %q cannot be used: %s", spec.JobTemplateRef, errs.ToAggregate()))
	}
	return start
}

// createFailed: the step's Job could not be created, and now there is no place to try it
// again. Steps that try in turn would take turns in status too if they waited for the place.
func (s step) createFailed() fate {
	was := s.plan.recorded[s.plan.Runs[s.index].Name]
	if s.plan.hasPlace() || !createFailed(was) {
		return start
	}
	return wait(was.Reason, was.Message)
}

// parallelismUsedUp: as many Jobs run as spec.parallelism allows.
func (s step) parallelismUsedUp() fate {
	if s.plan.hasPlace() {
		return start
	}
	return wait(v1alpha1.ReasonParallelism,
		fmt.Sprintf("waits until another Job ends: spec.parallelism is %d", *s.plan.flow.Spec.Parallelism))
}

func (p *flowPlan) hasPlace() bool {
	limit := p.flow.Spec.Parallelism
	return limit == nil || p.active < *limit
}

// certain reports whether, with startOn PodsSucceeded, nothing of the step's Job runs any
// more and it will be Complete.
func (p *flowPlan) certain(step int) bool {
	run := &p.Runs[step]
	return p.flow.Spec.StartOn == v1alpha1.StartOnPodsSucceeded && run.Phase == v1alpha1.PhaseRunning && p.jobs[run.Name].Certain
}

const none = -1

// findFailures finds the first failed step, and for each step the failed one that it
// depends on, directly or not.
func (p *flowPlan) findFailures() (first int, dependency []int) {
	first = none
	dependency = make([]int, len(p.Runs))
	for _, i := range p.graph.Order() {
		dependency[i] = none
		for _, d := range p.graph.Dependencies(i) {
			if p.Runs[d].Phase == v1alpha1.PhaseFailed {
				dependency[i] = d
				break
			}
			if dependency[d] != none {
				dependency[i] = dependency[d]
			}
		}
		if p.Runs[i].Phase == v1alpha1.PhaseFailed && (first == none || i < first) {
			first = i
		}
	}
	return first, dependency
}

// readySince returns when the last dependency of a step ended; zero if that is not known,
// because the step starts before it.
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

// template returns the spec of the step's Job, or nil if the step refers to a JobTemplate
// that does not exist.
func (p *flowPlan) template(step *v1alpha1.FlowStep) *batchv1.JobSpec {
	if step.JobTemplateRef != "" {
		return p.templates[step.JobTemplateRef]
	}
	return step.JobTemplate
}
