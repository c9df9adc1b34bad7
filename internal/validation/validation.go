// Package validation says everything that is wrong with an object, without
// asking the API server. Admission and the controllers call the same functions:
// webhooks can be off, and what was stored before a rule existed is still there.
// It therefore repeats what the CRDs' schemas say.
package validation

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// JobFlow returns all that is wrong with a JobFlow. Steps that refer to a
// JobTemplate are checked without it; see StepTemplate.
func JobFlow(flow *v1alpha1.JobFlow) field.ErrorList {
	spec := field.NewPath("spec")
	errs := graphOfSteps(flow.Spec.Flows, spec.Child("flows"))
	for i := range flow.Spec.Flows {
		errs = append(errs, step(flow, &flow.Spec.Flows[i], spec.Child("flows").Index(i))...)
	}
	errs = append(errs, jobNames(flow, spec.Child("flows"))...)
	if params := flow.Spec.GlobalParams; params != nil {
		errs = append(errs, nodeName(params.NodeName, spec.Child("globalParams", "nodeName"))...)
		errs = append(errs, commonParams(&params.CommonParams, spec.Child("globalParams"))...)
	}
	errs = append(errs, volumes(flow.Spec.ShareVolumes, spec.Child("shareVolumes"))...)
	errs = append(errs, atLeast(flow.Spec.Parallelism, 1, spec.Child("parallelism"))...)
	errs = append(errs, atLeast(flow.Spec.ActiveDeadlineSeconds, 1, spec.Child("activeDeadlineSeconds"))...)
	errs = append(errs, atLeast(flow.Spec.TTLSecondsAfterFinished, 0, spec.Child("ttlSecondsAfterFinished"))...)
	return readable(errs, spec)
}

// StepTemplate returns all that is wrong with the Job spec of a step, be it the
// step's own or, once it is known, that of the JobTemplate that it refers to.
// path is where the Job spec stands.
func StepTemplate(flow *v1alpha1.JobFlow, step *v1alpha1.FlowStep, template *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := jobSpec(template, path)
	pod := path.Child("template", "spec")
	errs = append(errs, sharedVolumes(flow.Spec.ShareVolumes, step.ShareVolumeMounts, &template.Template.Spec, pod)...)
	errs = append(errs, mountsOfVolumes(&template.Template.Spec, flow.Spec.ShareVolumes, pod)...)
	return errs
}

// DaemonJob returns all that is wrong with a DaemonJob.
func DaemonJob(dj *v1alpha1.DaemonJob) field.ErrorList {
	spec := field.NewPath("spec")
	errs := excludedNodes(dj.Spec.ExcludeNodeList, spec.Child("excludeNodeList"))
	if params := dj.Spec.GlobalParams; params != nil {
		errs = append(errs, commonParams(params, spec.Child("globalParams"))...)
	}
	errs = append(errs, jobSpec(&dj.Spec.JobSpec, spec)...)
	errs = append(errs, mountsOfVolumes(&dj.Spec.Template.Spec, nil, spec.Child("template", "spec"))...)
	return readable(errs, spec)
}

// JobTemplate returns all that is wrong with a JobTemplate by itself. Its
// containers may mount volumes that it does not have, since the JobFlow that uses
// it may share them.
func JobTemplate(template *v1alpha1.JobTemplate) field.ErrorList {
	spec := field.NewPath("spec")
	return readable(jobSpec(&template.Spec.JobTemplate, spec.Child("jobTemplate")), spec)
}

// mostErrors bounds the answer to an object that is wrong throughout: it has to
// fit a response, and nobody reads more.
const mostErrors = 100

func readable(errs field.ErrorList, path *field.Path) field.ErrorList {
	for i := range errs {
		if len(errs[i].Error()) > longestError {
			errs[i] = shortened(errs[i])
		}
	}
	if len(errs) <= mostErrors {
		return errs
	}
	more := field.Forbidden(path, fmt.Sprintf("has %d more errors that are not listed here", len(errs)-mostErrors))
	return append(errs[:mostErrors:mostErrors], more)
}

// longestError leaves room for a cycle that is named. An error quotes the value that is
// wrong, and that can be as long as a request.
const longestError = 2000

func shortened(err *field.Error) *field.Error {
	return &field.Error{
		Type: err.Type, Field: beginning(err.Field), BadValue: beginning(fmt.Sprint(err.BadValue)), Detail: beginning(err.Detail), Origin: err.Origin,
	}
}

func beginning(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func atLeast[T int32 | int64](value *T, least T, path *field.Path) field.ErrorList {
	if value == nil || *value >= least {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be %d or more", least))}
}
