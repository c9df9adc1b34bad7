// Package validation reports all errors of an object, without calling the API server.
// Admission and the controllers call the same functions, because webhooks can be off and
// stored objects can be older than a rule. For the same reason it repeats the rules of the
// CRDs' schemas.
package validation

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// JobFlow returns all errors of a JobFlow. Steps that refer to a JobTemplate are checked
// without it; see StepTemplate.
func JobFlow(flow *v1alpha1.JobFlow) field.ErrorList {
	spec := field.NewPath("spec")
	errs := validateGraph(flow.Spec.Flows, spec.Child("flows"))
	for i := range flow.Spec.Flows {
		errs = append(errs, validateStep(flow, &flow.Spec.Flows[i], spec.Child("flows").Index(i))...)
	}
	errs = append(errs, validateJobNames(flow, spec.Child("flows"))...)
	if params := flow.Spec.GlobalParams; params != nil {
		errs = append(errs, validateNodeName(params.NodeName, spec.Child("globalParams", "nodeName"))...)
		errs = append(errs, validateCommonParams(&params.CommonParams, spec.Child("globalParams"))...)
	}
	errs = append(errs, validateVolumes(flow.Spec.ShareVolumes, spec.Child("shareVolumes"))...)
	errs = append(errs, validateMin(flow.Spec.Parallelism, 1, spec.Child("parallelism"))...)
	errs = append(errs, validateMin(flow.Spec.ActiveDeadlineSeconds, 1, spec.Child("activeDeadlineSeconds"))...)
	errs = append(errs, validateMin(flow.Spec.TTLSecondsAfterFinished, 0, spec.Child("ttlSecondsAfterFinished"))...)
	return limitErrors(errs, spec)
}

// StepTemplate returns all errors of the Job spec of a step, either the step's own or that
// of the JobTemplate that it refers to. path is the path of the Job spec.
func StepTemplate(flow *v1alpha1.JobFlow, step *v1alpha1.FlowStep, template *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := validateJobSpec(template, path)
	pod := path.Child("template", "spec")
	errs = append(errs, validateSharedVolumes(flow.Spec.ShareVolumes, step.ShareVolumeMounts, &template.Template.Spec, pod)...)
	errs = append(errs, validateMountsExist(&template.Template.Spec, flow.Spec.ShareVolumes, pod)...)
	return errs
}

// DaemonJob returns all errors of a DaemonJob.
func DaemonJob(dj *v1alpha1.DaemonJob) field.ErrorList {
	spec := field.NewPath("spec")
	errs := validateExcludedNodes(dj.Spec.ExcludeNodeList, spec.Child("excludeNodeList"))
	if params := dj.Spec.GlobalParams; params != nil {
		errs = append(errs, validateCommonParams(params, spec.Child("globalParams"))...)
	}
	errs = append(errs, validateJobSpec(&dj.Spec.JobSpec, spec)...)
	errs = append(errs, validateMountsExist(&dj.Spec.Template.Spec, nil, spec.Child("template", "spec"))...)
	return limitErrors(errs, spec)
}

// JobTemplate returns all errors of a JobTemplate by itself. Its containers may mount
// volumes that it does not define, since the JobFlow that uses it may share them.
func JobTemplate(template *v1alpha1.JobTemplate) field.ErrorList {
	spec := field.NewPath("spec")
	return limitErrors(validateJobSpec(&template.Spec.JobTemplate, spec.Child("jobTemplate")), spec)
}

// mostErrors bounds the response to an object with many errors: it has a maximum size, and
// users do not read more.
const mostErrors = 100

func limitErrors(errs field.ErrorList, path *field.Path) field.ErrorList {
	for i := range errs {
		if len(errs[i].Error()) > longestError {
			errs[i] = shorten(errs[i])
		}
	}
	if len(errs) <= mostErrors {
		return errs
	}
	more := field.Forbidden(path, fmt.Sprintf("has %d more errors that are not listed here", len(errs)-mostErrors))
	return append(errs[:mostErrors:mostErrors], more)
}

// longestError leaves room for the names of a cycle. An error quotes the invalid value,
// which can be as long as a request.
const longestError = 2000

func shorten(err *field.Error) *field.Error {
	return &field.Error{
		Type: err.Type, Field: truncate(err.Field), BadValue: truncate(fmt.Sprint(err.BadValue)), Detail: truncate(err.Detail), Origin: err.Origin,
	}
}

func truncate(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func validateMin[T int32 | int64](value *T, least T, path *field.Path) field.ErrorList {
	if value == nil || *value >= least {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be %d or more", least))}
}
