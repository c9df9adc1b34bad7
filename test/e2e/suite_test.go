// Package e2e tests the operator as it is installed: as a Deployment in a real
// cluster, whose nodes run the pods. "make test-e2e" makes such a cluster, or uses
// that of KUBECONFIG.
//
// The specs need an operator, the image busybox:1.28, and three nodes that are
// named as in the samples: minikube, node1 and node2. Each has a namespace of its
// own. Specs that harm the operator or a node mend it again.
package e2e

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	// A pod needs some seconds on two cores that do everything else too.
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	EnforceDefaultTimeoutsWhenUsingContexts()

	suite, reporter := GinkgoConfiguration()
	// go test -v shows what the specs see while they see it.
	reporter.Verbose = testing.Verbose()
	RunSpecs(t, "The operator in a cluster", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	connect(ctx)
	findOperator(ctx)
})

// saw tells the reader of the output what a spec saw.
func saw(format string, arguments ...any) {
	GinkgoWriter.Printf("  saw "+format+"\n", arguments...)
}
