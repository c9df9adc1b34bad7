package validation

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// flowOf is a JobFlow of these steps.
func flowOf(steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow { return build.Flow("ns", "flow", steps...) }

// flowWith is a JobFlow of the one valid step "a", changed by the function.
func flowWith(change func(*v1alpha1.JobFlow)) *v1alpha1.JobFlow {
	flow := flowOf(build.Step("a"))
	change(flow)
	return flow
}

func daemonJobWith(change func(*v1alpha1.DaemonJob)) *v1alpha1.DaemonJob {
	dj := build.DaemonJob("ns", "daemon")
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
