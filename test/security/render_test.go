// Package security_test looks at what is installed, in every way in which it can be
// installed, and at what the operator does with the permissions that it gets.
package security_test

import (
	"os"
	"path/filepath"
	"testing"

	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// root is the repository's.
var root = filepath.Join("..", "..")

// render is what "kubectl apply -k" applies for a kustomization that has a base and
// components of config/.
func render(t *testing.T, base string, components ...string) []unstructured.Unstructured {
	t.Helper()
	dir := t.TempDir()
	// Kustomize takes only relative paths.
	relative := func(path string) string {
		absolute, err := filepath.Abs(filepath.Join(root, "config", path))
		if err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Rel(dir, absolute)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	overlay := types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Resources: []string{relative(base)},
	}
	for _, component := range components {
		overlay.Components = append(overlay.Components, relative(filepath.Join("components", component)))
	}
	content, err := yaml.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var objects []unstructured.Unstructured
	for _, resource := range built.Resources() {
		content, err := resource.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(content); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

// all are the objects of a kind, as their Go type.
func all[T any](t *testing.T, objects []unstructured.Unstructured, kind string) []T {
	t.Helper()
	var found []T
	for _, object := range objects {
		if object.GetKind() != kind {
			continue
		}
		var typed T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &typed, true); err != nil {
			t.Fatalf("%s %s: %v", kind, object.GetName(), err)
		}
		found = append(found, typed)
	}
	return found
}

// only is the one object of a kind.
func only[T any](t *testing.T, objects []unstructured.Unstructured, kind string) T {
	t.Helper()
	found := all[T](t, objects, kind)
	if len(found) != 1 {
		t.Fatalf("there are %d objects of kind %s, not one", len(found), kind)
	}
	return found[0]
}

// loadCSV is the bundle's.
func loadCSV(t *testing.T) *operators.ClusterServiceVersion {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "bundle", "manifests", "jobflow-operator.clusterserviceversion.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	csv := &operators.ClusterServiceVersion{}
	if err := yaml.UnmarshalStrict(content, csv); err != nil {
		t.Fatal(err)
	}
	return csv
}
