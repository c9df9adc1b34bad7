// Package manifests reads the YAML files of the repository, and manifests rendered from them.
package manifests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// Read returns the content of a file in the repository.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(repository.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Load decodes a YAML or JSON file in the repository. T may have only some of its fields.
func Load[T any](t testing.TB, name string) T {
	t.Helper()
	content, err := yaml.YAMLToJSONStrict(Read(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var document T
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return document
}

// LoadObjects returns the objects in the files of the repository that match a pattern of
// filepath.Glob.
func LoadObjects(t testing.TB, pattern string) []*unstructured.Unstructured {
	t.Helper()
	paths, err := filepath.Glob(repository.Path(pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s (%v)", pattern, err)
	}
	var objects []*unstructured.Unstructured
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, Parse(t, content)...)
	}
	return objects
}

// Parse reads objects from YAML. It skips documents that have only comments.
func Parse(t testing.TB, text []byte) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err == nil {
			document, err = yaml.YAMLToJSONStrict(document)
		}
		var object map[string]any
		if err == nil {
			err = utiljson.Unmarshal(document, &object)
		}
		if err != nil {
			t.Fatalf("not objects in YAML: %v\n%s", err, text)
		}
		if len(object) > 0 {
			objects = append(objects, &unstructured.Unstructured{Object: object})
		}
	}
}

// ID returns the kind and name of an object, such as "Service metrics".
func ID(o *unstructured.Unstructured) string { return o.GetKind() + " " + o.GetName() }

// ByID maps objects by their IDs. The test fails if two objects have the same ID.
func ByID(t testing.TB, objects []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	t.Helper()
	found := map[string]*unstructured.Unstructured{}
	for _, o := range objects {
		if _, ok := found[ID(o)]; ok {
			t.Errorf("%s is there twice", ID(o))
		}
		found[ID(o)] = o
	}
	return found
}

// All returns the objects of a kind, or with an ID, as their Go type. The test fails for a
// field that the type does not have, as the API server would refuse it.
func All[T any](t testing.TB, objects []*unstructured.Unstructured, which string) []T {
	t.Helper()
	var found []T
	for _, o := range objects {
		if o.GetKind() != which && ID(o) != which {
			continue
		}
		var object T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, &object, true); err != nil {
			t.Fatalf("%s: %v", ID(o), err)
		}
		found = append(found, object)
	}
	return found
}

// Only returns the one object of a kind, or with an ID, as its Go type.
func Only[T any](t testing.TB, objects []*unstructured.Unstructured, which string) T {
	t.Helper()
	found := All[T](t, objects, which)
	if len(found) != 1 {
		t.Fatalf("there are %d objects %s, not one", len(found), which)
	}
	return found[0]
}
