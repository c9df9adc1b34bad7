package status

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// maxListed is the largest number of nodes that are listed in full. Of more nodes, those
// that Succeeded are only counted, so that the object stays far below the limit of etcd.
const maxListed = 500

// Daemon returns the status of a DaemonJob after its plan was applied. nodes are the names
// of all nodes in the cluster.
func Daemon(dj *v1alpha1.DaemonJob, p *plan.Plan, nodes sets.Set[string], now time.Time) v1alpha1.DaemonJobStatus {
	if p.Ended {
		return *ended(dj).(*v1alpha1.DaemonJobStatus)
	}
	next := v1alpha1.DaemonJobStatus{}
	digest := plan.Digest(dj.Status.SucceededDigest)
	next.Nodes, digest = shorten(p.Runs, digest)
	next.SucceededDigest = digest

	c := count(next.Nodes)
	c.Succeeded += int32(digest.Len())
	next.Desired = c.Waiting + c.Running + c.Succeeded + c.Failed

	v := judge("node", v1alpha1.ReasonNodeFailed, p, c, next.Desired)
	if next.Desired == 0 {
		v = judgeUnplaced(dj, p, nodes)
	}
	next.Summary = summary(&dj.Status.Summary, dj.Generation, p.StartTime, v, c, next.Desired, now)
	return next
}

// shorten moves the runs that Succeeded to the digest once there are too many.
func shorten(runs []v1alpha1.RunStatus, digest plan.Digest) ([]v1alpha1.RunStatus, plan.Digest) {
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

// judgeUnplaced returns the verdict on a DaemonJob of which no node gets a Job: it waits
// for a node, and is never Complete without having run.
func judgeUnplaced(dj *v1alpha1.DaemonJob, p *plan.Plan, nodes sets.Set[string]) verdict {
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
		message: fmt.Sprintf("no node to run on: of %d nodes, %d are named in excludeNodeList, %d have taints that the pod template does not tolerate, "+
			"and the others do not match its nodeSelector and node affinity; the DaemonJob starts when a node fits",
			nodes.Len(), excluded, tainted),
	}
}
