// Package cluster tests what the operator makes of faults of a real cluster: of its
// API server, etcd and nodes, and of the operator's own pods. "make faults-cluster"
// makes such a cluster; no other will do, since what is broken are its processes.
//
// A spec is a row of faults, and its workloads are rows, too: while they are under way
// the fault is inflicted, and at the end of each the invariants are checked, which are
// the rows of a third table. Specs mend what they have broken.
package cluster

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestCluster(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(2 * time.Minute)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()

	suite, reporter := GinkgoConfiguration()
	// go test -v shows what the specs see while they see it.
	reporter.Verbose = testing.Verbose()
	RunSpecs(t, "Faults of a cluster", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	findDevcluster(ctx)
	connect()
	findNodes(ctx)
	findOperator(ctx)
	placeOperator(ctx)
}, NodeTimeout(awaited))

// saw tells the reader of the output what a spec saw.
func saw(format string, arguments ...any) {
	GinkgoWriter.Printf("  %s saw "+format+"\n", append([]any{time.Now().Format("15:04:05.0")}, arguments...)...)
}

// seconds is a duration as it is reported: these are measured by looking every now
// and then.
func seconds(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
