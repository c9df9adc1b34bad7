package validation

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

func TestWarnings(t *testing.T) {
	restart := func(s *batchv1.JobSpec) { s.Template.Spec.RestartPolicy = "OnFailure" }
	pinned := func(s *batchv1.JobSpec) { s.Template.Spec.NodeName = "node1" }
	never := func(s *batchv1.JobSpec) { s.Template.Spec.RestartPolicy = "Never" }
	cases := map[string]struct {
		change func(*batchv1.JobSpec)
		want   []string // with the path of the Job spec for %s
		daemon []string // where a DaemonJob gets a different warning
	}{
		"nothing": {func(*batchv1.JobSpec) {}, nil, nil},
		"Never":   {never, nil, nil},
		"restartPolicy": {
			restart,
			[]string{`%s.template.spec.restartPolicy: "OnFailure" has no effect: the operator always sets restartPolicy Never`}, nil,
		},
		"nodeName": {
			pinned,
			[]string{`%s.template.spec.nodeName: bypasses the scheduler: nothing checks that the pod fits the node; prefer globalParams.nodeName`},
			[]string{`%s.template.spec.nodeName: limits the DaemonJob to this node`},
		},
	}
	at := func(warnings []string, path string) []string {
		var out []string
		for _, warning := range warnings {
			out = append(out, fmt.Sprintf(warning, path))
		}
		return out
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			flow := flowOf(build.Step("a"), v1alpha1.FlowStep{Name: "b", JobTemplate: build.JobSpec(c.change)}, build.StepFrom("t", "c"))
			if diff := cmp.Diff(at(c.want, "spec.flows[1].jobTemplate"), JobFlowWarnings(flow)); diff != "" {
				t.Errorf("JobFlow (-want +got):\n%s", diff)
			}
			template := &v1alpha1.JobTemplate{Spec: v1alpha1.ReusableJobSpec{JobTemplate: *build.JobSpec(c.change)}}
			if diff := cmp.Diff(at(c.want, "spec.jobTemplate"), JobTemplateWarnings(template)); diff != "" {
				t.Errorf("JobTemplate (-want +got):\n%s", diff)
			}
			dj := daemonJobWith(func(d *v1alpha1.DaemonJob) { c.change(&d.Spec.JobSpec) })
			want := c.want
			if c.daemon != nil {
				want = c.daemon
			}
			if diff := cmp.Diff(at(want, "spec"), DaemonJobWarnings(dj)); diff != "" {
				t.Errorf("DaemonJob (-want +got):\n%s", diff)
			}
		})
	}
}

func TestImpliedDependenciesGetNoWarning(t *testing.T) {
	if got := JobFlowWarnings(flowOf(build.Step("a"), build.Step("b", "a"), build.Step("c", "a", "b"))); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestWarningsAreBounded(t *testing.T) {
	flow := flowOf()
	for i := range 30 {
		step := build.Step(fmt.Sprintf("s%d", i))
		step.JobTemplate.Template.Spec.RestartPolicy = "Always"
		flow.Spec.Flows = append(flow.Spec.Flows, step)
	}
	got := JobFlowWarnings(flow)
	if len(got) != 11 || got[10] != "20 more warnings of this kind" {
		t.Errorf("got %q", got)
	}
}
