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

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
)

var k8s *cluster.Cluster

func TestCluster(t *testing.T) { testkit.Run(t, "Faults of a cluster") }

var _ = BeforeSuite(func(ctx SpecContext) {
	findDevcluster(ctx)
	k8s = cluster.Connect(ctx, "faults-cluster")
	findNodes(ctx)
	findOperator(ctx)
	placeOperator(ctx)
})

// awaited is the limit for what the cluster itself delays: it evicts the pods of a lost node,
// and starts a container that has died often, after five minutes.
const awaited = 6*time.Minute + testkit.Hang

// seconds is a duration as it is reported: these are measured by looking every now
// and then.
func seconds(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
