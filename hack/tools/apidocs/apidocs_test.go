package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const source = `// Package v1 is an API.
// +groupName=example.com
package v1

// Color is what it is painted in.
type Color string

const (
	// ColorRed means that it is red. Final.
	ColorRed Color = "Red"
)

// Common is shared.
type Common struct {
	// size is how large it is. In inches. Default: 1. Immutable.
	// +optional
	Size *int32 ` + "`json:\"size,omitempty\"`" + `
}

// ThingSpec says what it is.
type ThingSpec struct {
	// name is <its> name, a|b. May change at any time.
	// +required
	Name string ` + "`json:\"name\"`" + `

	Common ` + "`json:\",inline\"`" + `

	// color is its color.
	Color Color ` + "`json:\"color,omitempty\"`" + `

	// env is its environment. Default: none.
	Env []corev1.EnvVar ` + "`json:\"env,omitempty\"`" + `
}

// +kubebuilder:object:root=true

// Thing is a thing.
type Thing struct {
	metav1.TypeMeta   ` + "`json:\",inline\"`" + `
	metav1.ObjectMeta ` + "`json:\"metadata,omitempty\"`" + `

	// spec is its spec.
	Spec ThingSpec ` + "`json:\"spec\"`" + `
}

// +kubebuilder:object:root=true

// ThingList is a list.
type ThingList struct {
	Items []Thing ` + "`json:\"items\"`" + `
}
`

const want = `<!-- Generated from the Go types by "make generate". Do not edit. -->

# API reference

Group ` + "`example.com`, version `v1`" + `. All kinds are namespaced. The same texts are in the cluster: ` + "`kubectl explain jobflow.spec`" + `.

- [Thing](#thing)

## Thing

Thing is a thing.

| Field | Meaning |
|---|---|
| ` + "`spec`" + `<br>[ThingSpec](#thingspec) | spec is its spec. |

### ThingSpec

ThingSpec says what it is.

| Field | Meaning | Default | Changes |
|---|---|---|---|
| ` + "`name`" + `<br>string | name is &lt;its&gt; name, a\|b. | required | at any time |
| ` + "`size`" + `<br>integer | size is how large it is. In inches. | 1 | no |
| ` + "`color`" + `<br>[Color](#color) | color is its color. |  |  |
| ` + "`env`" + `<br>list of [EnvVar](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.37/#envvar-v1-core) (v1) | env is its environment. | none |  |

### Color

Color is what it is painted in.

| Value | Meaning |
|---|---|
| ` + "`Red`" + ` | It is red. Final. |
`

func TestReference(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v1")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "types.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	api, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, render(api)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
