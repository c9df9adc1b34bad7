// Package kustomize renders the manifests in config/.
package kustomize

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// Build returns the objects that "kubectl apply -k" applies for a base in config/, such as
// "default", with components from config/components.
func Build(t testing.TB, base string, components ...string) []*unstructured.Unstructured {
	t.Helper()
	return BuildWithImages(t, nil, base, components...)
}

// BuildWithImages is Build with replaced images.
func BuildWithImages(t testing.TB, images []types.Image, base string, components ...string) []*unstructured.Unstructured {
	t.Helper()
	// Kustomize is not safe for concurrent use, and takes long for the CRDs.
	built.mu.Lock()
	defer built.mu.Unlock()
	key := fmt.Sprint(images, base, components)
	if _, known := built.objects[key]; !known {
		built.objects[key] = build(t, images, base, components)
	}
	objects := make([]*unstructured.Unstructured, len(built.objects[key]))
	for i, o := range built.objects[key] {
		objects[i] = o.DeepCopy()
	}
	return objects
}

// built caches what Kustomize built, since the tests of a package build the same objects.
var built = struct {
	mu      sync.Mutex
	objects map[string][]*unstructured.Unstructured
}{objects: map[string][]*unstructured.Unstructured{}}

func build(t testing.TB, images []types.Image, base string, components []string) []*unstructured.Unstructured {
	t.Helper()
	dir := t.TempDir()
	// Kustomize accepts only relative paths.
	relative := func(name string) string {
		path, err := filepath.Rel(dir, repository.Path("config/"+name))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	overlay := types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Resources: []string{relative(base)},
		Images:    images,
	}
	for _, component := range components {
		overlay.Components = append(overlay.Components, relative("components/"+component))
	}
	content, err := yaml.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	for _, resource := range resources.Resources() {
		content, err := resource.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(content); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}
