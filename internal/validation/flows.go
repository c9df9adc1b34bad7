package validation

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// mostSteps keeps a JobFlow with its status well below the size limit of etcd.
const mostSteps = 1000

// validateGraph checks the number of steps and their dependencies.
func validateGraph(flows []v1alpha1.FlowStep, path *field.Path) field.ErrorList {
	if len(flows) == 0 {
		return field.ErrorList{field.Required(path, "a JobFlow needs at least one step")}
	}
	var errs field.ErrorList
	if len(flows) > mostSteps {
		errs = append(errs, field.TooMany(path, len(flows), mostSteps))
	}
	steps := make([]graph.Step, len(flows))
	for i := range flows {
		steps[i] = graph.Step{Name: flows[i].Name, Dependencies: flows[i].Dependencies}
	}
	_, problems := graph.New(steps)
	for i := range problems {
		errs = append(errs, describeProblem(&problems[i], path))
	}
	return errs
}

func describeProblem(problem *graph.Problem, flows *field.Path) *field.Error {
	path := flows.Index(problem.Step).Child("name")
	if problem.Dependency >= 0 {
		path = flows.Index(problem.Step).Child("dependencies").Index(problem.Dependency)
	}
	switch problem.Kind {
	case graph.Unknown:
		return field.Invalid(path, problem.Name, "no step has this name"+suggest(problem.Nearest))
	case graph.Cycle:
		return field.Invalid(path, problem.Cycle[1], cycleMessage(problem.Cycle))
	default:
		return field.Duplicate(path, problem.Name)
	}
}

func cycleMessage(cycle []string) string {
	if len(cycle) == 2 {
		return "a step cannot depend on itself"
	}
	// The middle of a long cycle is left out to keep the message readable.
	const mostNamed = 20
	if len(cycle) > mostNamed {
		omitted := len(cycle) - mostNamed
		short := append([]string{}, cycle[:mostNamed/2]...)
		short = append(short, fmt.Sprintf("... %d more ...", omitted))
		cycle = append(short, cycle[len(cycle)-mostNamed/2:]...)
	}
	return "is part of a cycle, in which each step depends on the next: " + strings.Join(cycle, " -> ") +
		"; remove one of these dependencies"
}

// suggest returns the end of a message that proposes the nearest name, if there is one.
func suggest(nearest string) string {
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

// validateStep checks one step by itself.
func validateStep(flow *v1alpha1.JobFlow, step *v1alpha1.FlowStep, path *field.Path) field.ErrorList {
	errs := validateRequired(step.Name, validation.IsDNS1123Label, path.Child("name"))
	template, ref := path.Child("jobTemplate"), path.Child("jobTemplateRef")
	switch {
	case step.JobTemplate == nil && step.JobTemplateRef == "":
		errs = append(errs, field.Required(template, "set exactly one of jobTemplate and jobTemplateRef"))
	case step.JobTemplate != nil && step.JobTemplateRef != "":
		errs = append(errs, field.Forbidden(ref, "set exactly one of jobTemplate and jobTemplateRef"))
	}
	if step.JobTemplateRef != "" {
		errs = append(errs, validateRequired(step.JobTemplateRef, validation.IsDNS1123Subdomain, ref)...)
	}
	errs = append(errs, validateSharedMounts(flow.Spec.ShareVolumes, step.ShareVolumeMounts, path.Child("shareVolumeMounts"))...)
	if step.JobTemplate != nil {
		errs = append(errs, StepTemplate(flow, step, step.JobTemplate, template)...)
	}
	return errs
}

// validateJobNames checks that no two steps get Jobs of the same name, which for different
// steps is possible only if both names are truncated.
func validateJobNames(flow *v1alpha1.JobFlow, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	taken := make(map[string]string, len(flow.Spec.Flows))
	for i := range flow.Spec.Flows {
		step := &flow.Spec.Flows[i]
		name := jobs.Name(flow.Name, step.Name, inlineTemplate(step))
		other, found := taken[name]
		if found && other != step.Name {
			errs = append(errs, field.Invalid(path.Index(i).Child("name"), step.Name,
				fmt.Sprintf("its Job would have the same name, %s, as the Job of step %q; choose another name", name, other)))
			continue
		}
		taken[name] = step.Name
	}
	return errs
}

func inlineTemplate(step *v1alpha1.FlowStep) *batchv1.JobSpec {
	if step.JobTemplateRef != "" {
		return nil
	}
	return step.JobTemplate
}
