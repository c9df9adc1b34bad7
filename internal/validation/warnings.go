package validation

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// mostWarnings keeps the response below 4,096 characters, where the API server truncates
// warnings.
const mostWarnings = 10

// JobFlowWarnings lists settings of a valid JobFlow that may surprise its author.
func JobFlowWarnings(flow *v1alpha1.JobFlow) []string {
	var warnings []string
	for i := range flow.Spec.Flows {
		template := flow.Spec.Flows[i].JobTemplate
		if template == nil {
			continue
		}
		path := field.NewPath("spec", "flows").Index(i).Child("jobTemplate")
		warnings = append(warnings, warnRestartPolicy(template, path)...)
		warnings = append(warnings, warnNodeName(template, path, pinnedStep)...)
	}
	return limitWarnings(warnings)
}

// DaemonJobWarnings lists settings of a valid DaemonJob that may surprise its author.
func DaemonJobWarnings(dj *v1alpha1.DaemonJob) []string {
	path := field.NewPath("spec")
	warnings := warnRestartPolicy(&dj.Spec.JobSpec, path)
	return append(warnings, warnNodeName(&dj.Spec.JobSpec, path, "limits the DaemonJob to this node")...)
}

// JobTemplateWarnings lists settings of a valid JobTemplate that may surprise its author.
func JobTemplateWarnings(template *v1alpha1.JobTemplate) []string {
	path := field.NewPath("spec", "jobTemplate")
	warnings := warnRestartPolicy(&template.Spec.JobTemplate, path)
	return append(warnings, warnNodeName(&template.Spec.JobTemplate, path, pinnedStep)...)
}

const pinnedStep = "bypasses the scheduler: nothing checks that the pod fits the node; prefer globalParams.nodeName"

func warnRestartPolicy(spec *batchv1.JobSpec, path *field.Path) []string {
	policy := spec.Template.Spec.RestartPolicy
	if policy == "" || policy == corev1.RestartPolicyNever {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q has no effect: the operator always sets restartPolicy Never",
		path.Child("template", "spec", "restartPolicy"), policy)}
}

func warnNodeName(spec *batchv1.JobSpec, path *field.Path, message string) []string {
	if spec.Template.Spec.NodeName == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s", path.Child("template", "spec", "nodeName"), message)}
}

func limitWarnings(warnings []string) []string {
	if len(warnings) <= mostWarnings {
		return warnings
	}
	return append(warnings[:mostWarnings:mostWarnings], fmt.Sprintf("%d more warnings of this kind", len(warnings)-mostWarnings))
}
