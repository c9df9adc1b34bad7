package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

// types are the Go types of the CRDs below.
const types = `package v1

// +kubebuilder:object:root=true

type DaemonJob struct {
	Spec DaemonJobSpec ` + "`json:\"spec\"`" + `
}

type DaemonJobSpec struct {
	GlobalParams    *Params ` + "`json:\"globalParams,omitempty\"`" + `
	ExcludeNodeList string  ` + "`json:\"excludeNodeList,omitempty\"`" + `
	batchv1.JobSpec ` + "`json:\",inline\"`" + `
}

type Params struct {
	Labels map[string]string ` + "`json:\"labels,omitempty\"`" + `
	Common ` + "`json:\",inline\"`" + `
}

type Common struct {
	Env []corev1.EnvVar ` + "`json:\"env,omitempty\"`" + `
}

// +kubebuilder:object:root=true

type JobFlow struct {
	Spec JobFlowSpec ` + "`json:\"spec\"`" + `
}

type JobFlowSpec struct {
	Flows []FlowStep ` + "`json:\"flows\"`" + `
}

type FlowStep struct {
	JobTemplate *batchv1.JobSpec ` + "`json:\"jobTemplate,omitempty\"`" + `
}
`

const daemonJob = `
spec:
  names: {kind: DaemonJob}
  versions:
  - name: v1alpha1
    schema:
      openAPIV3Schema:
        description: DaemonJob is ours.
        properties:
          spec:
            description: spec is ours.
            properties:
              globalParams:
                description: globalParams are ours. All of it.
                properties:
                  env:
                    description: env is ours.
                    items:
                      description: EnvVar is core.
                      properties:
                        name: {description: A name., type: string}
                      type: object
                    type: array
              excludeNodeList: {description: excludeNodeList is ours. Default none., type: string}
              suspend: {description: Suspends the job., type: boolean}
              completions: {description: "Specifies the number,\n e.g. three. More info.", type: integer}
              backoffLimit: {description: Specifies retries. Defaults to 6., type: integer}
              template:
                description: The pod. More.
                properties:
                  spec:
                    description: A pod spec.
                    additionalProperties: {description: deep, type: string}
                    properties:
                      description: {type: string, description: a property of that name}
                      list:
                        items: {description: deep, oneOf: [{description: deep}]}
`

const trimmed = `
spec:
  names: {kind: DaemonJob}
  versions:
  - name: v1alpha1
    schema:
      openAPIV3Schema:
        description: DaemonJob is ours.
        properties:
          spec:
            description: spec is ours.
            properties:
              globalParams:
                description: globalParams are ours. All of it.
                properties:
                  env:
                    description: env is ours.
                    items:
                      properties:
                        name: {type: string}
                      type: object
                    type: array
              excludeNodeList: {description: excludeNodeList is ours. Default none., type: string}
              suspend: {description: "Suspends the job. While it is true, no Job is created, and those that have not ended are suspended.", type: boolean}
              completions: {description: "Specifies the number, e.g. three.", type: integer}
              backoffLimit: {description: "Specifies retries. Default: 0.", type: integer}
              template:
                description: The pod. Its restartPolicy is always Never.
                properties:
                  spec:
                    additionalProperties: {type: string}
                    properties:
                      description: {type: string}
                      list:
                        items: {oneOf: [{}]}
`

func TestTrim(t *testing.T) {
	cases := map[string]string{
		"as generated":    daemonJob,
		"trimmed already": trimmed,
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			got := parse(t, in)
			if err := trim(got, load(t)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, trimmed), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestTrimRefuses(t *testing.T) {
	cases := map[string]struct{ in, want string }{
		"not a CRD":       {in: "kind: Pod", want: "is this a CustomResourceDefinition?"},
		"a renamed field": {in: strings.ReplaceAll(daemonJob, "globalParams", "common"), want: "no schema at spec.globalParams.env[]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := trim(parse(t, tc.in), load(t))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	got := map[string][]place{}
	for _, kind := range []string{"DaemonJob", "JobFlow", "Other"} {
		got[kind] = places(load(t), kind)
	}
	want := map[string][]place{
		"DaemonJob": {
			{path: "spec.globalParams.env[]", how: core},
			{path: "spec", how: inlineJobSpec, own: map[string]bool{"globalParams": true, "excludeNodeList": true}},
		},
		"JobFlow": {{path: "spec.flows[].jobTemplate", how: jobSpec}},
		"Other":   nil,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(place{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func load(t *testing.T) *apitypes.API {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "types.go"), []byte(types), 0o644); err != nil {
		t.Fatal(err)
	}
	api, err := apitypes.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
