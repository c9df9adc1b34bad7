package build_test

import (
	"testing"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// Tests that start from invalid objects would prove nothing.
func TestWhatIsBuiltIsValid(t *testing.T) {
	flow := build.Flow("ns", "flow", build.Step("a"), build.Step("b", "a"), build.StepFrom("template", "c", "a", "b"))
	if errs := validation.JobFlow(flow); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := validation.DaemonJob(build.DaemonJob("ns", "daemon")); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := validation.JobTemplate(build.JobTemplate("ns", "template")); len(errs) > 0 {
		t.Error(errs)
	}
}
