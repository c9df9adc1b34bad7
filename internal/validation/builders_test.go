package validation

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// jobOf is a valid Job spec, changed by the functions.
func jobOf(change ...func(*batchv1.JobSpec)) *batchv1.JobSpec {
	spec := &batchv1.JobSpec{}
	spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: "busybox:1.28"}}
	for _, f := range change {
		f(spec)
	}
	return spec
}

// stepOf is a step with a valid template.
func stepOf(name string, dependencies ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: dependencies, JobTemplate: jobOf()}
}

// flowOf is a JobFlow of these steps.
func flowOf(steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return &v1alpha1.JobFlow{
		ObjectMeta: metav1.ObjectMeta{Name: "flow", Namespace: "ns"},
		Spec:       v1alpha1.JobFlowSpec{Flows: steps},
	}
}

// flowWith is a JobFlow of the one valid step "a", changed by the function.
func flowWith(change func(*v1alpha1.JobFlow)) *v1alpha1.JobFlow {
	flow := flowOf(stepOf("a"))
	change(flow)
	return flow
}

func daemonJobWith(change func(*v1alpha1.DaemonJob)) *v1alpha1.DaemonJob {
	dj := &v1alpha1.DaemonJob{
		ObjectMeta: metav1.ObjectMeta{Name: "daemon", Namespace: "ns"},
		Spec:       v1alpha1.DaemonJobSpec{JobSpec: *jobOf()},
	}
	change(dj)
	return dj
}

// texts are the errors as people see them.
func texts(errs field.ErrorList) []string {
	var out []string
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}

// fields are the errors as "<type> <path>", for tables in which the wording does
// not matter.
func fields(errs field.ErrorList) []string {
	var out []string
	for _, err := range errs {
		out = append(out, string(err.Type)+" "+err.Field)
	}
	return out
}
