// Package olm tests what OLM makes of the operator: it does what a user does, from
// the Subscription to the removal of everything. "make test-olm" makes a cluster with
// OLM in it for that, and the images.
//
// The specs use one cluster, one catalog and one namespace after another; each begins
// with a cluster without the operator, and leaves it so.
package olm

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
)

var (
	k8s *cluster.Cluster

	// The catalog's images: before the current version, with it, and with one after it.
	catalogReleased = os.Getenv("CATALOG_RELEASED")
	catalogCurrent  = os.Getenv("CATALOG_CURRENT")
	catalogNext     = os.Getenv("CATALOG_NEXT")

	current = "jobflow-operator." + os.Getenv("VERSION_CURRENT")
	next    = "jobflow-operator." + os.Getenv("VERSION_NEXT")
)

func TestOLM(t *testing.T) {
	testkit.Run(t, "The operator under OLM", testkit.FailFast)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	if catalogCurrent == "" {
		Fail("Run these tests with make test-olm, which makes a cluster with OLM and the images that they need.")
	}
	k8s = cluster.Connect(ctx, "test-olm")
	namespaceKind := corev1.SchemeGroupVersion.WithKind("Namespace")
	for _, left := range []object{
		source(fresh), source(older),
		{namespaceKind, client.ObjectKey{Name: work}}, {namespaceKind, client.ObjectKey{Name: namespace}},
	} {
		if field(ctx, left, "{.metadata.name}") != "" {
			Fail("The cluster has " + left.String() + " from an earlier run. Take it down with make cluster-down, and run make test-olm again.")
		}
	}
})
