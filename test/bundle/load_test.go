// Package bundle_test looks at bundle/ as OLM and OperatorHub do, and compares it
// with what it was made from.
package bundle_test

import (
	"sync"
	"testing"

	bundles "github.com/operator-framework/api/pkg/manifests"
	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// readBundle reads the bundle once, which no test changes.
var readBundle = sync.OnceValues(func() (*bundles.Bundle, error) {
	return bundles.GetBundleFromDir(repository.Path("bundle"))
})

func loadBundle(t *testing.T) *bundles.Bundle {
	t.Helper()
	bundle, err := readBundle()
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
