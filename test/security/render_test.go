// Package security_test looks at what is installed, in every way in which it can be
// installed, and at what the operator does with the permissions that it gets.
package security_test

import (
	"testing"

	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// loadCSV is the bundle's.
func loadCSV(t *testing.T) operators.ClusterServiceVersion {
	t.Helper()
	objects := manifests.LoadObjects(t, "bundle/manifests/*.clusterserviceversion.yaml")
	return manifests.Only[operators.ClusterServiceVersion](t, objects, "ClusterServiceVersion")
}
