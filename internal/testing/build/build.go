// Package build returns minimal valid objects for tests. Each test sets the fields that it is
// about.
package build

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// JobSpec returns the spec of a Job with one container, main, that succeeds at once.
func JobSpec(changes ...func(*batchv1.JobSpec)) *batchv1.JobSpec {
	spec := &batchv1.JobSpec{}
	spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: "busybox:1.28", Command: []string{"true"}}}
	for _, change := range changes {
		change(spec)
	}
	return spec
}

// Step returns a step with an inline Job, which depends on other steps.
func Step(name string, dependencies ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: dependencies, JobTemplate: JobSpec()}
}

// StepFrom returns a step that takes its Job from a JobTemplate.
func StepFrom(template, name string, dependencies ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: dependencies, JobTemplateRef: template}
}

// Flow returns a JobFlow with these steps.
func Flow(namespace, name string, steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return &v1alpha1.JobFlow{ObjectMeta: meta(namespace, name), Spec: v1alpha1.JobFlowSpec{Flows: steps}}
}

// DaemonJob returns a DaemonJob for all nodes.
func DaemonJob(namespace, name string) *v1alpha1.DaemonJob {
	return &v1alpha1.DaemonJob{ObjectMeta: meta(namespace, name), Spec: v1alpha1.DaemonJobSpec{JobSpec: *JobSpec()}}
}

// JobTemplate returns a JobTemplate for steps to refer to.
func JobTemplate(namespace, name string) *v1alpha1.JobTemplate {
	return &v1alpha1.JobTemplate{ObjectMeta: meta(namespace, name), Spec: v1alpha1.ReusableJobSpec{JobTemplate: *JobSpec()}}
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}
