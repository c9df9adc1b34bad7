package validation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

func TestJobFlowMessages(t *testing.T) {
	long := strings.Repeat("f", 63)
	cases := map[string]struct {
		flow *v1alpha1.JobFlow
		want []string
	}{
		"valid": {flowOf(build.Step("a"), build.Step("b", "a"), build.Step("c", "a", "b")), nil},
		"names over the limit of a Job's": {
			flowOf(build.Step(long), build.Step(long[:62]+"g", long)),
			nil,
		},
		"no steps": {
			flowOf(),
			[]string{`spec.flows: Required value: a JobFlow needs at least one step`},
		},
		"unknown dependency": {
			flowOf(build.Step("build"), build.Step("lint"), build.Step("test", "biuld")),
			[]string{`spec.flows[2].dependencies[0]: Invalid value: "biuld": no step has this name; did you mean "build"?`},
		},
		"unknown dependency unlike any": {
			flowOf(build.Step("build"), build.Step("test", "deploy")),
			[]string{`spec.flows[1].dependencies[0]: Invalid value: "deploy": no step has this name`},
		},
		"cycle": {
			flowOf(build.Step("start"), build.Step("a", "start", "b"), build.Step("b", "c"), build.Step("c", "a")),
			[]string{`spec.flows[1].dependencies[1]: Invalid value: "b": is part of a cycle, in which each step depends on the next: a -> b -> c -> a; remove one of these dependencies`},
		},
		"depends on itself": {
			flowOf(build.Step("a", "a")),
			[]string{`spec.flows[0].dependencies[0]: Invalid value: "a": a step cannot depend on itself`},
		},
		"a name twice": {
			flowOf(build.Step("a"), build.Step("a")),
			[]string{`spec.flows[1].name: Duplicate value: "a"`},
		},
		"a dependency twice": {
			flowOf(build.Step("a"), build.Step("b", "a", "a")),
			[]string{`spec.flows[1].dependencies[1]: Duplicate value: "a"`},
		},
		"neither template nor reference": {
			flowOf(v1alpha1.FlowStep{Name: "a"}),
			[]string{`spec.flows[0].jobTemplate: Required value: set exactly one of jobTemplate and jobTemplateRef`},
		},
		"both template and reference": {
			flowOf(v1alpha1.FlowStep{Name: "a", JobTemplate: build.JobSpec(), JobTemplateRef: "t"}),
			[]string{`spec.flows[0].jobTemplateRef: Forbidden: set exactly one of jobTemplate and jobTemplateRef`},
		},
		"a mount without its volume": {
			flowWith(func(f *v1alpha1.JobFlow) {
				f.Spec.ShareVolumes = []corev1.Volume{{Name: "data"}}
				f.Spec.Flows[0].ShareVolumeMounts = []corev1.VolumeMount{{Name: "date", MountPath: "/data"}}
			}),
			[]string{`spec.flows[0].shareVolumeMounts[0].name: Invalid value: "date": no volume of this name in spec.shareVolumes; did you mean "data"?`},
		},
		"a container's mount without a volume": {
			flowWith(func(f *v1alpha1.JobFlow) {
				f.Spec.Flows[0].JobTemplate.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
			}),
			[]string{`spec.flows[0].jobTemplate.template.spec.containers[0].volumeMounts[0].name: Invalid value: "data": no volume of this name`},
		},
		"a container mounts a shared volume": {
			flowWith(func(f *v1alpha1.JobFlow) {
				f.Spec.ShareVolumes = []corev1.Volume{{Name: "data"}}
				f.Spec.Flows[0].JobTemplate.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
			}),
			nil,
		},
		"a shared volume's name is taken": {
			flowWith(func(f *v1alpha1.JobFlow) {
				f.Spec.ShareVolumes = []corev1.Volume{{Name: "data"}}
				f.Spec.Flows[0].ShareVolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
				f.Spec.Flows[0].JobTemplate.Template.Spec.Volumes = []corev1.Volume{{Name: "data"}}
			}),
			[]string{`spec.flows[0].jobTemplate.template.spec.volumes[0].name: Invalid value: "data": spec.shareVolumes has a volume of this name too, and the step mounts it; rename one of them`},
		},
		"a shared volume that the step does not use": {
			flowWith(func(f *v1alpha1.JobFlow) {
				f.Spec.ShareVolumes = []corev1.Volume{{Name: "data"}}
				f.Spec.Flows[0].JobTemplate.Template.Spec.Volumes = []corev1.Volume{{Name: "data"}}
			}),
			nil,
		},
		"a mount path is taken": {
			flowWith(func(f *v1alpha1.JobFlow) {
				f.Spec.ShareVolumes = []corev1.Volume{{Name: "data"}}
				f.Spec.Flows[0].ShareVolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
				f.Spec.Flows[0].JobTemplate.Template.Spec.Volumes = []corev1.Volume{{Name: "own"}}
				f.Spec.Flows[0].JobTemplate.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "own", MountPath: "/data"}}
			}),
			[]string{`spec.flows[0].jobTemplate.template.spec.containers[0].volumeMounts[0].mountPath: Invalid value: "/data": shareVolumeMounts also mounts volume "data" at this path; choose another path for one of them`},
		},
		"a reserved label": {
			flowWith(func(f *v1alpha1.JobFlow) {
				f.Spec.GlobalParams = &v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Labels: map[string]string{"api.practice.com/flow": "x"}}}
			}),
			[]string{`spec.globalParams.labels[api.practice.com/flow]: Forbidden: "api.practice.com/flow" is reserved for the operator; remove keys that begin with api.practice.com/`},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, texts(JobFlow(c.flow))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJobFlowFields(t *testing.T) {
	params := func(p v1alpha1.GlobalParams) func(*v1alpha1.JobFlow) {
		return func(f *v1alpha1.JobFlow) { f.Spec.GlobalParams = &p }
	}
	cases := map[string]struct {
		change func(*v1alpha1.JobFlow)
		want   []string
	}{
		"malformed step name":   {func(f *v1alpha1.JobFlow) { f.Spec.Flows[0].Name = "Upper_Case" }, []string{"FieldValueInvalid spec.flows[0].name"}},
		"no step name":          {func(f *v1alpha1.JobFlow) { f.Spec.Flows[0].Name = "" }, []string{"FieldValueRequired spec.flows[0].name"}},
		"malformed reference":   {func(f *v1alpha1.JobFlow) { f.Spec.Flows[0] = v1alpha1.FlowStep{Name: "a", JobTemplateRef: "a/b"} }, []string{"FieldValueInvalid spec.flows[0].jobTemplateRef"}},
		"parallelism of 0":      {func(f *v1alpha1.JobFlow) { f.Spec.Parallelism = ptr.To[int32](0) }, []string{"FieldValueInvalid spec.parallelism"}},
		"deadline of 0":         {func(f *v1alpha1.JobFlow) { f.Spec.ActiveDeadlineSeconds = ptr.To[int64](0) }, []string{"FieldValueInvalid spec.activeDeadlineSeconds"}},
		"TTL of 0":              {func(f *v1alpha1.JobFlow) { f.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }, nil},
		"negative TTL":          {func(f *v1alpha1.JobFlow) { f.Spec.TTLSecondsAfterFinished = ptr.To[int32](-1) }, []string{"FieldValueInvalid spec.ttlSecondsAfterFinished"}},
		"malformed node":        {params(v1alpha1.GlobalParams{NodeName: "node 1"}), []string{"FieldValueInvalid spec.globalParams.nodeName"}},
		"node with dots":        {params(v1alpha1.GlobalParams{NodeName: "node1.example.com"}), nil},
		"env twice":             {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Env: []corev1.EnvVar{{Name: "A"}, {Name: "A"}}}}), []string{"FieldValueDuplicate spec.globalParams.env[1].name"}},
		"malformed env name":    {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Env: []corev1.EnvVar{{Name: "A=B"}}}}), []string{"FieldValueInvalid spec.globalParams.env[0].name"}},
		"env with two values":   {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Env: []corev1.EnvVar{{Name: "A", Value: "b", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{}}}}}}), []string{"FieldValueForbidden spec.globalParams.env[0].valueFrom"}},
		"env without source":    {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Env: []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{}}}}}), []string{"FieldValueInvalid spec.globalParams.env[0].valueFrom"}},
		"malformed label key":   {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Labels: map[string]string{"a b": ""}}}), []string{"FieldValueInvalid spec.globalParams.labels"}},
		"malformed label value": {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Labels: map[string]string{"a": "b c"}}}), []string{"FieldValueInvalid spec.globalParams.labels[a]"}},
		"malformed annotation":  {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Annotations: map[string]string{"a b": ""}}}), []string{"FieldValueInvalid spec.globalParams.annotations"}},
		"reserved annotation":   {params(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Annotations: map[string]string{"api.practice.com/run": ""}}}), []string{"FieldValueForbidden spec.globalParams.annotations[api.practice.com/run]"}},
		"shared volume twice":   {func(f *v1alpha1.JobFlow) { f.Spec.ShareVolumes = []corev1.Volume{{Name: "a"}, {Name: "a"}} }, []string{"FieldValueDuplicate spec.shareVolumes[1].name"}},
		"malformed volume name": {func(f *v1alpha1.JobFlow) { f.Spec.ShareVolumes = []corev1.Volume{{Name: "a.b"}} }, []string{"FieldValueInvalid spec.shareVolumes[0].name"}},
		"volume without a name": {func(f *v1alpha1.JobFlow) { f.Spec.ShareVolumes = []corev1.Volume{{}} }, []string{"FieldValueRequired spec.shareVolumes[0].name"}},
		"two mounts at one path": {func(f *v1alpha1.JobFlow) {
			f.Spec.ShareVolumes = []corev1.Volume{{Name: "a"}, {Name: "b"}}
			f.Spec.Flows[0].ShareVolumeMounts = []corev1.VolumeMount{{Name: "a", MountPath: "/d"}, {Name: "b", MountPath: "/d"}}
		}, []string{"FieldValueDuplicate spec.flows[0].shareVolumeMounts[1].mountPath"}},
		"one volume at two paths": {func(f *v1alpha1.JobFlow) {
			f.Spec.ShareVolumes = []corev1.Volume{{Name: "a"}}
			f.Spec.Flows[0].ShareVolumeMounts = []corev1.VolumeMount{{Name: "a", MountPath: "/d"}, {Name: "a", MountPath: "/e"}}
		}, nil},
		"an empty mount": {func(f *v1alpha1.JobFlow) {
			f.Spec.Flows[0].ShareVolumeMounts = []corev1.VolumeMount{{}}
		}, []string{"FieldValueRequired spec.flows[0].shareVolumeMounts[0].name", "FieldValueRequired spec.flows[0].shareVolumeMounts[0].mountPath"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, fields(JobFlow(flowWith(c.change)))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJobFlowReportsEverythingAtOnce(t *testing.T) {
	flow := flowOf(
		build.Step("a", "b"),
		build.Step("b", "a"),
		v1alpha1.FlowStep{Name: "c", Dependencies: []string{"missing"}},
		v1alpha1.FlowStep{Name: "c", JobTemplate: build.JobSpec(func(s *batchv1.JobSpec) { s.Template.Spec.Containers = nil })},
	)
	flow.Spec.Parallelism = ptr.To[int32](0)
	want := []string{
		"FieldValueDuplicate spec.flows[3].name",
		"FieldValueInvalid spec.flows[2].dependencies[0]",
		"FieldValueInvalid spec.flows[0].dependencies[0]",
		"FieldValueRequired spec.flows[2].jobTemplate",
		"FieldValueRequired spec.flows[3].jobTemplate.template.spec.containers",
		"FieldValueInvalid spec.parallelism",
	}
	if diff := cmp.Diff(want, fields(JobFlow(flow))); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestJobFlowOfManySteps(t *testing.T) {
	many := func(n int) *v1alpha1.JobFlow {
		flow := flowOf()
		for i := range n {
			flow.Spec.Flows = append(flow.Spec.Flows, build.Step(fmt.Sprintf("step-%d", i)))
		}
		return flow
	}
	if errs := JobFlow(many(1000)); len(errs) > 0 {
		t.Errorf("1,000 steps: %v", errs)
	}
	if diff := cmp.Diff([]string{"FieldValueTooMany spec.flows"}, fields(JobFlow(many(1001)))); diff != "" {
		t.Errorf("1,001 steps (-want +got):\n%s", diff)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	flow := flowOf()
	for i := range 150 {
		flow.Spec.Flows = append(flow.Spec.Flows, build.Step(fmt.Sprintf("step-%d", i), fmt.Sprintf("step-%d", i)))
	}
	errs := JobFlow(flow)
	if len(errs) != 101 {
		t.Fatalf("%d errors, want 100 and a last one", len(errs))
	}
	if got, want := errs[100].Error(), "spec: Forbidden: has 50 more errors that are not listed here"; got != want {
		t.Errorf("last error %q, want %q", got, want)
	}
}

func TestLongCycleIsShortened(t *testing.T) {
	var cycle []string
	for i := range 41 {
		cycle = append(cycle, fmt.Sprintf("s%d", i%40))
	}
	got := cycleMessage(cycle)
	if !strings.Contains(got, "s9 -> ... 21 more ... -> s31") || !strings.Contains(got, "-> s39 -> s0;") {
		t.Errorf("got %s", got)
	}
}

// A step that refers to a JobTemplate is checked together with it once it exists.
func TestStepTemplate(t *testing.T) {
	flow := flowOf(v1alpha1.FlowStep{
		Name: "a", JobTemplateRef: "t",
		ShareVolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
	})
	flow.Spec.ShareVolumes = []corev1.Volume{{Name: "data"}, {Name: "cache"}}
	if errs := JobFlow(flow); len(errs) > 0 {
		t.Fatalf("the flow itself: %v", errs)
	}
	cases := map[string]struct {
		change func(*batchv1.JobSpec)
		want   []string
	}{
		"valid":         {func(*batchv1.JobSpec) {}, nil},
		"no containers": {func(s *batchv1.JobSpec) { s.Template.Spec.Containers = nil }, []string{"FieldValueRequired spec.jobTemplate.template.spec.containers"}},
		"the volume's name is taken": {
			func(s *batchv1.JobSpec) { s.Template.Spec.Volumes = []corev1.Volume{{Name: "data"}} },
			[]string{"FieldValueInvalid spec.jobTemplate.template.spec.volumes[0].name"},
		},
		"a container mounts another shared volume whose name is taken": {
			func(s *batchv1.JobSpec) {
				s.Template.Spec.Volumes = []corev1.Volume{{Name: "cache"}}
				s.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "cache", MountPath: "/cache"}}
			},
			[]string{"FieldValueInvalid spec.jobTemplate.template.spec.volumes[0].name"},
		},
		"the path is taken in an init container": {
			func(s *batchv1.JobSpec) {
				s.Template.Spec.Volumes = []corev1.Volume{{Name: "own"}}
				s.Template.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "i", VolumeMounts: []corev1.VolumeMount{{Name: "own", MountPath: "/data"}}}}
			},
			[]string{"FieldValueInvalid spec.jobTemplate.template.spec.initContainers[0].volumeMounts[0].mountPath"},
		},
		"a mount of nothing": {
			func(s *batchv1.JobSpec) {
				s.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "other", MountPath: "/x"}}
			},
			[]string{"FieldValueInvalid spec.jobTemplate.template.spec.containers[0].volumeMounts[0].name"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			errs := StepTemplate(flow, &flow.Spec.Flows[0], build.JobSpec(c.change), field.NewPath("spec", "jobTemplate"))
			if diff := cmp.Diff(c.want, fields(errs)); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDaemonJob(t *testing.T) {
	cases := map[string]struct {
		change func(*v1alpha1.DaemonJob)
		want   []string
	}{
		"valid":                               {func(*v1alpha1.DaemonJob) {}, nil},
		"excluded nodes":                      {func(d *v1alpha1.DaemonJob) { d.Spec.ExcludeNodeList = "node1, node2 ,,node3.example.com," }, nil},
		"excluded nodes separated by a space": {func(d *v1alpha1.DaemonJob) { d.Spec.ExcludeNodeList = "node1 node2" }, []string{`spec.excludeNodeList: Invalid value: "node1 node2": "node1 node2" is not a valid node name; separate names with commas`}},
		"not a node name":                     {func(d *v1alpha1.DaemonJob) { d.Spec.ExcludeNodeList = "node1, Node_2" }, []string{`spec.excludeNodeList: Invalid value: "Node_2": "Node_2" is not a valid node name; separate names with commas`}},
		"reserved label": {
			func(d *v1alpha1.DaemonJob) { d.Spec.Template.Labels = map[string]string{"api.practice.com/node": "x"} },
			[]string{`spec.template.metadata.labels[api.practice.com/node]: Forbidden: "api.practice.com/node" is reserved for the operator; remove keys that begin with api.practice.com/`},
		},
		"negative parallelism": {
			func(d *v1alpha1.DaemonJob) { d.Spec.Parallelism = ptr.To[int32](-1) },
			[]string{`spec.parallelism: Invalid value: -1: must be 0 or more`},
		},
		"malformed env in globalParams": {
			func(d *v1alpha1.DaemonJob) {
				d.Spec.GlobalParams = &v1alpha1.CommonParams{Env: []corev1.EnvVar{{Name: ""}}}
			},
			[]string{`spec.globalParams.env[0].name: Required value`},
		},
		"a mount of nothing": {
			func(d *v1alpha1.DaemonJob) {
				d.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "data"}}
				d.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "dta", MountPath: "/data"}}
			},
			[]string{`spec.template.spec.containers[0].volumeMounts[0].name: Invalid value: "dta": no volume of this name; did you mean "data"?`},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, texts(DaemonJob(daemonJobWith(c.change)))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// A JobTemplate may mount volumes that the JobFlow shares.
func TestJobTemplateMayMountWhatAFlowShares(t *testing.T) {
	template := &v1alpha1.JobTemplate{Spec: v1alpha1.ReusableJobSpec{JobTemplate: *build.JobSpec(func(s *batchv1.JobSpec) {
		s.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	})}}
	if errs := JobTemplate(template); len(errs) > 0 {
		t.Errorf("errors: %v", errs)
	}
	template.Spec.JobTemplate.Template.Spec.Containers[0].Image = ""
	want := []string{"FieldValueRequired spec.jobTemplate.template.spec.containers[0].image"}
	if diff := cmp.Diff(want, fields(JobTemplate(template))); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}
