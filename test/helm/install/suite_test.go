// Package install_test installs the operator in a real cluster as its users do, with
// Helm and with kubectl apply -f dist/install.yaml, upgrades it in the middle of a
// JobFlow, and removes it again. "make test-helm" makes such a cluster, or uses that
// of KUBECONFIG.
//
// The cluster must not have the operator, nor its CRDs. It needs nodes that are
// named as in the samples, and the images busybox:1.28 and IMG.
package install_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
)

var (
	k8s *cluster.Cluster
	// before is all that was in the cluster before anything was installed.
	before sets.Set[string]
)

func TestInstall(t *testing.T) { testkit.Run(t, "Installing the operator") }

var _ = BeforeSuite(func(ctx SpecContext) {
	k8s = cluster.Connect(ctx, "test-helm")
	for _, crd := range crds {
		if !cli.Kubectl(ctx, "get", "crd", crd).Failed {
			Fail("The cluster has the CRD " + crd + " already. These tests install the operator and remove it, and every JobFlow with it. " +
				"If nobody needs them there: make undeploy.")
		}
	}
	var err error
	before, err = k8s.Inventory(ctx)
	Expect(err).NotTo(HaveOccurred())
})

// crds are those of the operator.
var crds = []string{"daemonjobs.api.practice.com", "jobflows.api.practice.com", "jobtemplates.api.practice.com"}
