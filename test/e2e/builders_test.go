package e2e

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// shell is a Job of one container that runs a script. Its pods end without the
// half minute that a shell, which ignores SIGTERM, would be left.
func shell(script string) *batchv1.JobSpec {
	spec := &batchv1.JobSpec{}
	spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](1)
	spec.Template.Spec.Containers = []corev1.Container{container(script)}
	return spec
}

func container(script string) corev1.Container {
	return corev1.Container{
		Name:            "main",
		Image:           "busybox:1.28",
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         []string{"sh", "-c", script},
	}
}

// step runs a script after other steps.
func step(name, script string, after ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: after, JobTemplate: shell(script)}
}

// flowOf is a JobFlow that is named flow.
func flowOf(namespace string, steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return &v1alpha1.JobFlow{
		ObjectMeta: metav1.ObjectMeta{Name: "flow", Namespace: namespace},
		Spec:       v1alpha1.JobFlowSpec{Flows: steps},
	}
}
