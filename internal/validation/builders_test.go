package validation

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// flowOf returns a JobFlow with these steps.
func flowOf(steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow { return build.Flow("ns", "flow", steps...) }

// flowWith returns a JobFlow with one valid step "a", changed by the function.
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

// texts returns the errors as users see them.
func texts(errs field.ErrorList) []string {
	var out []string
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}

// fields returns the errors as "<type> <path>", for tables in which the wording does not
// matter.
func fields(errs field.ErrorList) []string {
	var out []string
	for _, err := range errs {
		out = append(out, string(err.Type)+" "+err.Field)
	}
	return out
}
