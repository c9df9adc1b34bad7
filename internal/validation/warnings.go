package validation

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// mostWarnings keeps the answer below the 4,096 characters after which the API
// server cuts warnings.
const mostWarnings = 10

// JobFlowWarnings says what in a valid JobFlow is not what its author may think.
func JobFlowWarnings(flow *v1alpha1.JobFlow) []string {
	var warnings []string
	for i := range flow.Spec.Flows {
		template := flow.Spec.Flows[i].JobTemplate
		if template == nil {
			continue
		}
		path := field.NewPath("spec", "flows").Index(i).Child("jobTemplate")
		warnings = append(warnings, restartPolicyWarning(template, path)...)
		warnings = append(warnings, pinnedWarning(template, path, pinnedStep)...)
	}
	return fewWarnings(warnings)
}

// DaemonJobWarnings says what in a valid DaemonJob is not what its author may
// think.
func DaemonJobWarnings(dj *v1alpha1.DaemonJob) []string {
	path := field.NewPath("spec")
	warnings := restartPolicyWarning(&dj.Spec.JobSpec, path)
	return append(warnings, pinnedWarning(&dj.Spec.JobSpec, path, "leaves this node only; the DaemonJob runs on no other")...)
}

// JobTemplateWarnings says what in a valid JobTemplate is not what its author may
// think.
func JobTemplateWarnings(template *v1alpha1.JobTemplate) []string {
	path := field.NewPath("spec", "jobTemplate")
	warnings := restartPolicyWarning(&template.Spec.JobTemplate, path)
	return append(warnings, pinnedWarning(&template.Spec.JobTemplate, path, pinnedStep)...)
}

const pinnedStep = "bypasses the scheduler: nothing checks that the pod fits the node; prefer globalParams.nodeName"

func restartPolicyWarning(spec *batchv1.JobSpec, path *field.Path) []string {
	policy := spec.Template.Spec.RestartPolicy
	if policy == "" || policy == corev1.RestartPolicyNever {
		return nil
	}
	return []string{fmt.Sprintf("%s: %q has no effect: pods of a Job here always have restartPolicy Never",
		path.Child("template", "spec", "restartPolicy"), policy)}
}

func pinnedWarning(spec *batchv1.JobSpec, path *field.Path, message string) []string {
	if spec.Template.Spec.NodeName == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s", path.Child("template", "spec", "nodeName"), message)}
}

func fewWarnings(warnings []string) []string {
	if len(warnings) <= mostWarnings {
		return warnings
	}
	return append(warnings[:mostWarnings:mostWarnings], fmt.Sprintf("%d more warnings of this kind", len(warnings)-mostWarnings))
}
