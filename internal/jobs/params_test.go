package jobs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestLabelsAndAnnotationsAreMerged(t *testing.T) {
	type keys = map[string]string
	cases := map[string]struct {
		global, template keys
		onJob, onPod     keys
	}{
		"neither": {},
		"global only": {
			global: keys{"team": "a"},
			onJob:  keys{"team": "a"},
			onPod:  keys{"team": "a"},
		},
		"the template's own stay on the pods": {
			template: keys{"app": "x"},
			onPod:    keys{"app": "x"},
		},
		"both": {
			global:   keys{"team": "a"},
			template: keys{"app": "x"},
			onJob:    keys{"team": "a"},
			onPod:    keys{"team": "a", "app": "x"},
		},
		"the template wins, on the Job too": {
			global:   keys{"team": "a", "tier": "1"},
			template: keys{"team": "b"},
			onJob:    keys{"team": "b", "tier": "1"},
			onPod:    keys{"team": "b", "tier": "1"},
		},
		"an empty value is a value": {
			global:   keys{"team": "a"},
			template: keys{"team": ""},
			onJob:    keys{"team": ""},
			onPod:    keys{"team": ""},
		},
		"keys that only the operator sets are ignored": {
			global:   keys{v1alpha1.SuspendedAnnotation: "x", v1alpha1.DaemonJobLabel: "x", v1alpha1.TTLAnnotation: "1"},
			template: keys{v1alpha1.NodeLabel: "x", v1alpha1.SettingsAnnotation: "x", v1alpha1.TTLAnnotation: "1"},
		},
		"the operator's keys win": {
			global:   keys{v1alpha1.KindLabel: "x", v1alpha1.RunAnnotation: "x"},
			template: keys{v1alpha1.JobFlowLabel: "x", v1alpha1.FlowLabel: "x", v1alpha1.KindLabel: "y"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			flow := newFlow(withParams(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Labels: c.global, Annotations: c.global}}))
			job := ForStep(flow, step(), template(func(s *batchv1.JobSpec) {
				s.Template.Labels, s.Template.Annotations = c.template, c.template
			}))

			own := keys{v1alpha1.KindLabel: "JobFlow", v1alpha1.JobFlowLabel: "flow", v1alpha1.FlowLabel: "step"}
			run := keys{v1alpha1.RunAnnotation: "step"}
			for place, pair := range map[string]struct{ want, got keys }{
				"labels of the Job":       {overlay(overlay(keys{}, c.onJob), own), job.Labels},
				"labels of the pods":      {overlay(overlay(keys{}, c.onPod), own), job.Spec.Template.Labels},
				"annotations of the Job":  {overlay(overlay(keys{}, c.onJob), run), job.Annotations},
				"annotations of the pods": {c.onPod, job.Spec.Template.Annotations},
			} {
				if diff := cmp.Diff(pair.want, pair.got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", place, diff)
				}
			}
		})
	}
}

func TestEnvIsMerged(t *testing.T) {
	env := func(pairs ...string) []corev1.EnvVar {
		var vars []corev1.EnvVar
		for i := 0; i < len(pairs); i += 2 {
			vars = append(vars, corev1.EnvVar{Name: pairs[i], Value: pairs[i+1]})
		}
		return vars
	}
	cases := map[string]struct{ global, own, want []corev1.EnvVar }{
		"neither": {},
		"global only, in their order": {
			global: env("QUE", "pasa", "FOO", "bar"),
			want:   env("QUE", "pasa", "FOO", "bar"),
		},
		"own only": {
			own:  env("OWN", "1"),
			want: env("OWN", "1"),
		},
		"own may refer to global": {
			global: env("FOO", "bar"),
			own:    env("OWN", "$(FOO)"),
			want:   env("FOO", "bar", "OWN", "$(FOO)"),
		},
		"own wins and stays in its place": {
			global: env("FOO", "bar", "QUE", "pasa"),
			own:    env("BASE", "1", "FOO", "$(BASE)"),
			want:   env("QUE", "pasa", "BASE", "1", "FOO", "$(BASE)"),
		},
		"own twice is left to the kubelet": {
			global: env("FOO", "bar"),
			own:    env("FOO", "1", "FOO", "2"),
			want:   env("FOO", "1", "FOO", "2"),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			flow := newFlow(withParams(v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Env: c.global}}))
			job := ForStep(flow, step(), template(func(s *batchv1.JobSpec) {
				s.Template.Spec.InitContainers[0].Env = c.own
				s.Template.Spec.Containers[0].Env = c.own
				s.Template.Spec.Containers = append(s.Template.Spec.Containers, corev1.Container{Name: "bare"})
			}))

			pod := job.Spec.Template.Spec
			for container, pair := range map[string]struct{ want, got []corev1.EnvVar }{
				"init container":   {c.want, pod.InitContainers[0].Env},
				"container":        {c.want, pod.Containers[0].Env},
				"second container": {c.global, pod.Containers[1].Env},
			} {
				if diff := cmp.Diff(pair.want, pair.got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", container, diff)
				}
			}
		})
	}
}
