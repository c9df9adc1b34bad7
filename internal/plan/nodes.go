package plan

import (
	"fmt"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
)

// nodeRules are the answer to "when does a node get its Job?": when it passes all of
// them. The first one that it does not pass decides what status shows.
var nodeRules = rules[*node]{
	(*node).finished,       // keep
	(*node).gone,           // skip
	(*node).oldJobDeleting, // wait
	(*node).hasJob,         // keep
	(*node).unfit,          // leave out, or skip if for a taint
	(*node).suspended,      // wait
	// A canary belongs here, and after it a budget: both make nodes wait that fit.
}

// node is one node of a DaemonJob.
type node struct {
	plan *daemonPlan
	was  *v1alpha1.RunStatus // its recorded entry, or nil
	run  v1alpha1.RunStatus  // its new entry
	// placement is nil if the node does not match the template, is excluded, or is gone.
	placement *placement.Decision
}

// finished: the node has its result.
func (n *node) finished() fate {
	if Final(n.run.Phase) {
		return keep
	}
	return start
}

// gone: the node left the cluster before its Job had ended.
func (n *node) gone() fate {
	hadJob := n.was != nil && n.was.JobUID != ""
	if n.plan.seen.Nodes.Has(n.run.Name) || n.run.JobUID == "" && !hadJob {
		return start
	}
	if n.run.JobUID == "" {
		n.run = *n.was
	}
	return skip(v1alpha1.ReasonNodeGone, fmt.Sprintf("node %s left the cluster before Job %s had ended", n.run.Name, n.run.JobName))
}

// oldJobDeleting: the node came back, and the Job that ran when it left still exists.
func (n *node) oldJobDeleting() fate {
	job, exists := n.plan.seen.Jobs[n.run.Name]
	if !exists || !leftBehind(job, n.was) {
		return start
	}
	n.run = *n.was
	return wait(v1alpha1.ReasonNodeGone, fmt.Sprintf("the node left the cluster and came back; waits until its old Job %s is deleted", job.Name))
}

// hasJob: the node's Job exists.
func (n *node) hasJob() fate {
	if n.run.JobUID != "" {
		return keep
	}
	return start
}

// unfit: the node is excluded, does not match the template, or has a taint that the pod
// template does not tolerate. Nothing was started on it, and nothing will be.
func (n *node) unfit() fate {
	switch {
	case n.placement == nil:
		return leaveOut
	case n.placement.Run:
		return start
	}
	return skip(n.placement.Reason, n.placement.Message)
}

// suspended: nothing starts while spec.suspend is true.
func (n *node) suspended() fate { return n.plan.waitIfSuspended() }

// leftBehind reports whether a Job has to be deleted because its node left while it ran:
// its pods can never run to their end. That is the case once it is recorded, and not
// before. If the process died between the deletion and the record, the Job would have
// vanished for no known reason, and that is a failure.
func leftBehind(job jobs.State, was *v1alpha1.RunStatus) bool {
	return was != nil && was.Reason == v1alpha1.ReasonNodeGone && was.JobUID == string(job.UID) && !Final(job.Phase)
}
