// Package bundle_test looks at bundle/ as OLM and OperatorHub do, and compares it
// with what it was made from.
package bundle_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/operator-framework/api/pkg/manifests"
	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// root is the repository's.
var root = filepath.Join("..", "..")

func loadBundle(t *testing.T) *manifests.Bundle {
	t.Helper()
	bundle, err := manifests.GetBundleFromDir(filepath.Join(root, "bundle"))
	if err != nil {
		t.Fatal(err)
	}
	if bundle.CSV == nil {
		t.Fatal("the bundle has no CSV")
	}
	return bundle
}

func loadCSV(t *testing.T) *operators.ClusterServiceVersion {
	t.Helper()
	return loadBundle(t).CSV
}

// loadCRDs are the CRDs in config/, by name.
func loadCRDs(t *testing.T) map[string]apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "config", "crd", "bases", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]apiextensionsv1.CustomResourceDefinition{}
	for _, path := range paths {
		for _, crd := range load[apiextensionsv1.CustomResourceDefinition](t, path) {
			found[crd.Name] = crd
		}
	}
	if len(found) == 0 {
		t.Fatal("no CRDs in config/")
	}
	return found
}

// load reads every document of a file.
func load[T any](t *testing.T, path string) []T {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []T
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		var o T
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		found = append(found, o)
	}
}
