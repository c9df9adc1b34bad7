package status

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// maxListed is the most nodes that are listed in full. Past it those that
// Succeeded are only counted, so that the object stays far from the limit of etcd.
const maxListed = 500

// Daemon is the status of a DaemonJob after its plan was applied. nodes are the
// names of all nodes in the cluster.
func Daemon(dj *v1alpha1.DaemonJob, p *plan.Plan, nodes sets.Set[string], now time.Time) v1alpha1.DaemonJobStatus {
	if p.Ended {
		return *ended(dj).(*v1alpha1.DaemonJobStatus)
	}
	next := v1alpha1.DaemonJobStatus{}
	digest := plan.Digest(dj.Status.SucceededDigest)
	next.Nodes, digest = list(p.Runs, digest)
	next.SucceededDigest = digest

	c := count(next.Nodes)
	c.succeeded += int32(digest.Len())
	next.Desired = c.waiting + c.running + c.succeeded + c.failed

	v := judge("node", v1alpha1.ReasonNodeFailed, p, c, next.Desired)
	if next.Desired == 0 {
		v = unplaced(dj, p, nodes)
	}
	next.Summary = summary(&dj.Status.Summary, dj.Generation, p.StartTime, v, c, next.Desired, now)
	return next
}

// list moves the runs that Succeeded to the digest once there are too many.
func list(runs []v1alpha1.RunStatus, digest plan.Digest) ([]v1alpha1.RunStatus, plan.Digest) {
	if len(runs)+digest.Len() <= maxListed {
		return runs, digest
	}
	listed := make([]v1alpha1.RunStatus, 0, len(runs))
	var done []string
	for i := range runs {
		if runs[i].Phase == v1alpha1.PhaseSucceeded {
			done = append(done, runs[i].Name)
			continue
		}
		listed = append(listed, runs[i])
		if len(listed) > maxListed {
			// 5,000 entries fit an object; 5,000 of them with a message do not.
			listed[len(listed)-1].Message = ""
		}
	}
	return listed, digest.With(done)
}

// unplaced is the verdict on a DaemonJob that no node gets a Job of: it waits for
// one, and is never Complete without having run.
func unplaced(dj *v1alpha1.DaemonJob, p *plan.Plan, nodes sets.Set[string]) verdict {
	if p.Suspended {
		return verdict{state: v1alpha1.StateSuspended, reason: v1alpha1.ReasonSuspended, message: "suspended by spec.suspend"}
	}
	excluded := nodes.Intersection(placement.Excluded(dj.Spec.ExcludeNodeList)).Len()
	tainted := 0
	for i := range p.Runs {
		if p.Runs[i].Reason == v1alpha1.ReasonUntoleratedTaint {
			tainted++
		}
	}
	return verdict{
		state:  v1alpha1.StatePending,
		reason: v1alpha1.ReasonNoEligibleNode,
		message: fmt.Sprintf("no node to run on: of %d nodes %d are named in excludeNodeList, %d are left out for taints, "+
			"and the others do not match the template's nodeSelector and node affinity; a node that fits is taken as soon as there is one",
			nodes.Len(), excluded, tainted),
	}
}
