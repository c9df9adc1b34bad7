// Package e2e tests the operator as it is installed: as a Deployment in a real
// cluster, whose nodes run the pods. "make test-e2e" makes such a cluster, or uses
// that of KUBECONFIG.
//
// The specs need an operator, the image busybox:1.28, and three nodes that are
// named as in the samples: minikube, node1 and node2. Each has a namespace of its
// own. Specs that harm the operator or a node mend it again.
package e2e

import (
	"context"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var k8s *cluster.Cluster

// The nodes that the samples name.
const (
	minikube = "minikube"
	node1    = "node1"
	node2    = "node2"
)

func TestEndToEnd(t *testing.T) { testkit.Run(t, "The operator in a cluster") }

var _ = BeforeSuite(func(ctx SpecContext) {
	k8s = cluster.Connect(ctx, "test-e2e")
	operator := k8s.Operator(ctx)
	Eventually(ctx, k8s.OperatorPods).Should(ContainElement(HaveField("Status.Conditions", cluster.Ready)))
	testkit.Saw("operator %s/%s with the image %s", operator.Namespace, operator.Name, operator.Spec.Template.Spec.Containers[0].Image)
	DeferCleanup(func(ctx SpecContext) {
		if published.end != nil {
			published.end(ctx)
		}
		k8s.ExpectNamespacesGone(ctx)
	})
})

// newNamespace makes a namespace for a spec, and records what is in it.
func newNamespace(ctx context.Context) (string, *record.Record) {
	GinkgoHelper()
	namespace := k8s.NewNamespace(ctx, "e2e-")
	return namespace, record.Start(k8s, namespace)
}

func needNodes(ctx context.Context, names ...string) {
	GinkgoHelper()
	if missing := sets.New(names...).Difference(k8s.Nodes(ctx)); missing.Len() > 0 {
		Fail("This spec needs nodes that are named as in the samples; the cluster has none named " +
			sets.List(missing)[0] + ". Without KUBECONFIG, make test-e2e makes a cluster that has them.")
	}
}

// sample is the path of a file in config/samples.
func sample(file string) string {
	return filepath.Join("..", "..", "config", "samples", file)
}

// applySample applies a sample just as it is.
func applySample(ctx context.Context, namespace, file string) cli.Output {
	GinkgoHelper()
	return cli.Kubectl(ctx, "apply", "--namespace", namespace, "--filename", sample(file)).Succeeded()
}
