package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

const types = `package v1

// +kubebuilder:object:root=true

type Thing struct {
	Spec   ThingSpec   ` + "`json:\"spec\"`" + `
	Status ThingStatus ` + "`json:\"status\"`" + `
}

type ThingSpec struct {
	// +operator-sdk:csv:customresourcedefinitions:type=spec,displayName="Pieces",xDescriptors="urn:alm:descriptor:com.tectonic.ui:advanced"
	Parts   []Part ` + "`json:\"parts,omitempty\"`" + `
	StartOn string ` + "`json:\"startOn,omitempty\"`" + `
	Count   *int32 ` + "`json:\"count,omitempty\"`" + `

	batchv1.JobSpec ` + "`json:\",inline\"`" + `
}

type ThingStatus struct {
	State  string ` + "`json:\"state,omitempty\"`" + `
	Digest []byte ` + "`json:\"digest,omitempty\"`" + `
	Parts  int32  ` + "`json:\"parts,omitempty\"`" + `
}
`

const crd = `
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            required: [template]
            properties:
              parts: {type: array, items: {properties: {a: {}}}, description: parts are its parts. Default none. Immutable.}
              startOn: {type: string, enum: [Left, Right], description: "startOn says\nwhen. Default: Left. May change at any time."}
              count: {type: integer, description: count is how many. At least 1.}
              completions: {type: integer, description: Specifies the number.}
              suspend: {type: boolean, description: suspend specifies whether.}
              template: {type: object, properties: {spec: {}}, description: Describes the pod.}
          status:
            properties:
              state: {type: string, description: state is Good.}
              digest: {type: string, format: byte, description: digest is for the operator.}
              parts: {type: integer, description: parts counts the parts.}
`

func TestAddDescriptors(t *testing.T) {
	csv := read(t, `{spec: {customresourcedefinitions: {owned: [{kind: Thing, name: things.example.com, version: v1}]}}}`)
	if err := addDescriptors(csv, parsed(t, crd), load(t)); err != nil {
		t.Fatal(err)
	}
	want := read(t, `
kind: Thing
name: things.example.com
version: v1
specDescriptors:
- {path: parts, displayName: Pieces, description: Its parts. Default none. Immutable.,
   x-descriptors: ["urn:alm:descriptor:com.tectonic.ui:arrayFieldGroup:parts", "urn:alm:descriptor:com.tectonic.ui:advanced"]}
- {path: startOn, displayName: Start on, description: "Says when. Default: Left. May change at any time.",
   x-descriptors: ["urn:alm:descriptor:com.tectonic.ui:select:Left", "urn:alm:descriptor:com.tectonic.ui:select:Right"]}
- {path: count, displayName: Count, description: How many. At least 1., x-descriptors: ["urn:alm:descriptor:com.tectonic.ui:number"]}
- {path: template, displayName: Template, description: Describes the pod., x-descriptors: ["urn:alm:descriptor:com.tectonic.ui:fieldGroup:template"]}
- {path: completions, displayName: Completions, description: Specifies the number.,
   x-descriptors: ["urn:alm:descriptor:com.tectonic.ui:number", "urn:alm:descriptor:com.tectonic.ui:advanced"]}
- {path: suspend, displayName: Suspend, description: Specifies whether., x-descriptors: ["urn:alm:descriptor:com.tectonic.ui:booleanSwitch"]}
statusDescriptors:
- {path: state, displayName: State, description: Good., x-descriptors: ["urn:alm:descriptor:io.kubernetes.phase"]}
- {path: digest, displayName: Digest, description: For the operator., x-descriptors: ["urn:alm:descriptor:com.tectonic.ui:hidden"]}
- {path: parts, displayName: Parts, description: Counts the parts., x-descriptors: ["urn:alm:descriptor:text"]}
`)
	if diff := cmp.Diff(want, items(child(csv, "spec", "customresourcedefinitions"), "owned")[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAddDescriptorsRefuses(t *testing.T) {
	for name, owned := range map[string]string{
		"an unknown CRD":     "{kind: Thing, name: others.example.com, version: v1}",
		"an unknown version": "{kind: Thing, name: things.example.com, version: v2}",
		"an unknown kind":    "{kind: Other, name: things.example.com, version: v1}",
	} {
		t.Run(name, func(t *testing.T) {
			csv := read(t, "{spec: {customresourcedefinitions: {owned: ["+owned+"]}}}")
			if err := addDescriptors(csv, parsed(t, crd), load(t)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestDisplayName(t *testing.T) {
	for name, want := range map[string]string{
		"state":                   "State",
		"excludeNodeList":         "Exclude node list",
		"ttlSecondsAfterFinished": "TTL seconds after finished",
	} {
		if got := displayName(name); got != want {
			t.Errorf("%s became %q", name, got)
		}
	}
}

func TestDescriptionHasSentencesThatFit(t *testing.T) {
	first, second, third := "size is "+strings.Repeat("x", 90)+".", strings.Repeat("y", 90)+".", "Z."
	if got, want := description("size", first+" "+"Y"+second+" "+third), apitypes.UpperFirst(strings.TrimPrefix(first, "size is "))+" Y"+second+" "+third; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := description("size", first+" "+"Y"+second+second+" "+third+" Default: 1."), apitypes.UpperFirst(strings.TrimPrefix(first, "size is "))+" Default: 1."; got != want {
		t.Errorf("got %q, want %q", got, want)
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
