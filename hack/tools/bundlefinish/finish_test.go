package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const input = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec: {fieldPath: .kept}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: somewhere}
rules: []
---
apiVersion: v1
kind: Service
metadata: {name: hooks}
---
apiVersion: v1
kind: Service
metadata: {name: metrics}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hooks}
webhooks:
- clientConfig: {service: {name: hooks}}
---
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata:
  name: thing.v0.0.0
  annotations: {createdAt: "2001-02-03T04:05:06Z"}
`

func read(t *testing.T, text string) object {
	t.Helper()
	var o object
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func parsed(t *testing.T, text string) objects {
	t.Helper()
	in, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestDropped(t *testing.T) {
	if got := dropped(parsed(t, input)); len(got) > 0 {
		t.Errorf("the input has no NetworkPolicy: %v", got)
	}
	got := dropped(parsed(t, `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: thing, namespace: somewhere}}`))
	want := map[string]object{"thing_networking.k8s.io_v1_networkpolicy.yaml": read(t, `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: thing}}`)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFinishManifest(t *testing.T) {
	for name, tc := range map[string]struct{ generated, want string }{
		"what the tool does not know comes back, what it adds goes": {
			generated: `{kind: CustomResourceDefinition, metadata: {name: things.example.com, creationTimestamp: null}, status: {conditions: null}}`,
			want:      `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.example.com}, spec: {fieldPath: .kept}}`,
		},
		"no namespace": {
			generated: `{kind: Role, metadata: {name: reader}}`,
			want:      `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: []}`,
		},
		"the Service of the webhooks goes": {
			generated: `{kind: Service, metadata: {name: hooks}}`,
			want:      `null`,
		},
		"another Service stays": {
			generated: `{kind: Service, metadata: {name: metrics}}`,
			want:      `{apiVersion: v1, kind: Service, metadata: {name: metrics}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := finishManifest(read(t, tc.generated), parsed(t, input))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(read(t, tc.want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFinishManifestRefusesWhatIsNotInTheInput(t *testing.T) {
	if _, err := finishManifest(read(t, `{kind: Role, metadata: {name: unknown}}`), parsed(t, input)); err == nil {
		t.Error("no error")
	}
}

const generatedCSV = `
kind: ClusterServiceVersion
metadata:
  annotations: {createdAt: "2026-01-01T00:00:00Z"}
spec:
  install:
    spec:
      deployments:
      - spec: {template: {spec: {
          initContainers: [{name: first, image: example.com/first:v1}],
          containers: [{name: manager, image: example.com/manager:v1}]}}}
`

func TestFinishCSV(t *testing.T) {
	csv := read(t, generatedCSV)
	if err := finishCSV(csv, parsed(t, input), []byte("<svg/>")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(object{
		"createdAt":      "2001-02-03T04:05:06Z",
		"containerImage": "example.com/manager:v1",
	}, child(csv, "metadata", "annotations")); diff != "" {
		t.Error(diff)
	}
	spec := child(csv, "spec")
	if diff := cmp.Diff([]any{
		object{"name": "first", "image": "example.com/first:v1"},
		object{"name": "manager", "image": "example.com/manager:v1"},
	}, spec["relatedImages"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{object{"base64data": "PHN2Zy8+", "mediatype": "image/svg+xml"}}, spec["icon"]); diff != "" {
		t.Error(diff)
	}
}

func TestFinishCSVRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ csv, input string }{
		"a base without createdAt":      {csv: generatedCSV, input: `{kind: ClusterServiceVersion, metadata: {name: thing.v0.0.0}}`},
		"an operator without a manager": {csv: `{metadata: {annotations: {}}, spec: {install: {}}}`, input: input},
		"an empty CSV":                  {csv: `{}`, input: input},
	} {
		t.Run(name, func(t *testing.T) {
			if err := finishCSV(read(t, tc.csv), parsed(t, tc.input), nil); err == nil {
				t.Error("no error")
			}
		})
	}
}
