package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
)

// DaemonObserved is what was read about one DaemonJob.
type DaemonObserved struct {
	Observed
	// Placement says for each node that may get a Job whether it does.
	Placement []placement.Decision
	// Nodes are the names of all nodes in the cluster. One that is missing here is
	// gone for sure: that is recorded, and then its Job is deleted.
	Nodes sets.Set[string]
}

// Daemon plans a DaemonJob whose spec is valid.
func Daemon(dj *v1alpha1.DaemonJob, seen DaemonObserved, now time.Time) Plan {
	p := newPlan(dj.Status.Nodes, seen.Observed)
	succeeded := Digest(dj.Status.SucceededDigest)

	if Ended(dj) {
		p.Ended = true
		p.Runs = dj.Status.Nodes
		p.StartTime = dj.Status.StartTime
	} else {
		p.startClock(&dj.Status.Summary, ptr.Deref(dj.Spec.Suspend, false), now)
		p.placeJobs(dj, seen, succeeded, now)
	}

	for _, name := range slices.Sorted(maps.Keys(seen.Jobs)) {
		job, was := seen.Jobs[name], p.recorded[name]
		if ofEarlierLife(job, was) {
			if !job.Deleting && !seen.Unrecorded {
				p.Delete = append(p.Delete, job.Job)
			}
			continue
		}
		final := was != nil && Final(was.Phase) || succeeded.Has(name)
		p.adjust(job, final && !seen.Unrecorded, &dj.Spec.JobSpec)
	}
	return p
}

// placeJobs decides for every node that has a Job, has a record, or may get a Job.
func (p *Plan) placeJobs(dj *v1alpha1.DaemonJob, seen DaemonObserved, succeeded Digest, now time.Time) {
	placed := make(map[string]placement.Decision, len(seen.Placement))
	names := sets.KeySet(p.recorded).Union(sets.KeySet(seen.Jobs))
	for _, decision := range seen.Placement {
		placed[decision.Node] = decision
		names.Insert(decision.Node)
	}
	var open []int
	for _, name := range sets.List(names) {
		if succeeded.Has(name) {
			continue // recorded without an entry of its own
		}
		run, started := seen.startedOn(name, p.recorded[name], now)
		decision, fits := placed[name]
		switch {
		case started:
		case !fits:
			continue // nothing was started there, and nothing will be
		case !decision.Run:
			skip(&run, decision.Reason, decision.Message)
		case p.Suspended:
			wait(&run, v1alpha1.ReasonSuspended, "waits for spec.suspend to be false")
		default:
			open = append(open, len(p.Runs))
		}
		p.Runs = append(p.Runs, run)
	}
	p.failures.sort(open, p.Runs, p.recorded, now)
	for _, i := range open {
		p.Create = append(p.Create, Creation{Run: i, Job: jobs.ForNode(dj, p.Runs[i].Name)})
	}
}

// startedOn is the entry of one node, and whether a Job of it stands in the way of
// another: it runs, has its result, ended with its node, or is still to be deleted
// since the node was gone for a while.
func (seen *DaemonObserved) startedOn(name string, was *v1alpha1.RunStatus, now time.Time) (run v1alpha1.RunStatus, started bool) {
	run = seen.known(name, was, now)
	if Final(run.Phase) {
		return run, true
	}
	job, hasJob := seen.Jobs[name]
	hadJob := run.JobUID != "" || was != nil && was.JobUID != ""
	switch {
	case !seen.Nodes.Has(name) && hadJob:
		return gone(run, was), true
	case hasJob && ofEarlierLife(job, was):
		run = *was
		wait(&run, v1alpha1.ReasonNodeGone, fmt.Sprintf("waits for Job %s of the node's earlier life to be deleted", job.Name))
		return run, true
	}
	return run, run.JobUID != ""
}

// gone is the entry of a node that left the cluster before its Job ended.
func gone(run v1alpha1.RunStatus, was *v1alpha1.RunStatus) v1alpha1.RunStatus {
	if run.JobUID == "" {
		run = *was
	}
	skip(&run, v1alpha1.ReasonNodeGone, fmt.Sprintf("node %s left the cluster before Job %s had ended", run.Name, run.JobName))
	return run
}

// ofEarlierLife says whether a Job is to be deleted, since its node left while it
// ran: its pods can never run to their end. That is true once it is recorded, and
// not before. If the process died between the deletion and the record, the Job
// would have vanished for no known reason, and that is a failure.
func ofEarlierLife(job jobs.State, was *v1alpha1.RunStatus) bool {
	return was != nil && was.Reason == v1alpha1.ReasonNodeGone && was.JobUID == string(job.UID) && !Final(job.Phase)
}
