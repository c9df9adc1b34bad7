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
	// gone for sure: its Job will be deleted.
	Nodes sets.Set[string]
}

// Daemon plans a DaemonJob whose spec is valid.
func Daemon(dj *v1alpha1.DaemonJob, seen DaemonObserved, now time.Time) Plan {
	p := &Plan{}
	recorded := byName(dj.Status.Nodes)
	succeeded := Digest(dj.Status.SucceededDigest)

	if Ended(&dj.Status.Summary) {
		p.Ended = true
		p.Runs = dj.Status.Nodes
		p.StartTime = dj.Status.StartTime
	} else {
		p.startClock(&dj.Status.Summary, ptr.Deref(dj.Spec.Suspend, false), now)
		p.placeJobs(dj, seen, recorded, succeeded, now)
	}

	for _, name := range slices.Sorted(maps.Keys(seen.Jobs)) {
		job, was := seen.Jobs[name], recorded[name]
		if !Final(job.Phase) && !seen.Nodes.Has(name) {
			// Its pods can never run to their end, and nobody waits for them.
			if !job.Deleting {
				p.Delete = append(p.Delete, job.Job)
			}
			continue
		}
		p.adjust(job, was != nil && Final(was.Phase) || succeeded.Has(name), &dj.Spec.JobSpec)
	}
	return *p
}

// placeJobs decides for every node that has a Job, has a record, or may get a Job.
func (p *Plan) placeJobs(dj *v1alpha1.DaemonJob, seen DaemonObserved, recorded map[string]*v1alpha1.RunStatus, succeeded Digest, now time.Time) {
	placed := make(map[string]placement.Decision, len(seen.Placement))
	names := sets.New[string]()
	for _, decision := range seen.Placement {
		placed[decision.Node] = decision
		names.Insert(decision.Node)
	}
	for name := range recorded {
		names.Insert(name)
	}
	for name := range seen.Jobs {
		names.Insert(name)
	}

	for _, name := range sets.List(names) {
		if succeeded.Has(name) {
			continue // recorded without an entry of its own
		}
		was := recorded[name]
		run := seen.known(name, was, now)
		decision, eligible := placed[name]
		job, hasJob := seen.Jobs[name]
		switch {
		case Final(run.Phase):
		case !seen.Nodes.Has(name):
			if run.JobUID == "" && (was == nil || was.JobUID == "") {
				continue // it never had a Job: nothing to tell
			}
			run = gone(run, was)
		case hasJob && job.Deleting && was != nil && was.Reason == v1alpha1.ReasonNodeGone:
			// The node is back while the Job of its earlier life is being deleted.
			run = *was
			wait(&run, v1alpha1.ReasonNodeGone, fmt.Sprintf("waits for Job %s of the node's earlier life to be deleted", job.Name))
			run.JobUID = ""
		case run.JobUID != "":
		case !eligible:
			continue // it no longer matches the template, and nothing was started
		case !decision.Run:
			skip(&run, decision.Reason, decision.Message)
		case p.Suspended:
			wait(&run, v1alpha1.ReasonSuspended, "waits for spec.suspend to be false")
		default:
			p.Create = append(p.Create, Creation{Run: len(p.Runs), Job: jobs.ForNode(dj, name)})
		}
		p.Runs = append(p.Runs, run)
	}
}

// gone is the entry of a node that left the cluster before its Job ended.
func gone(run v1alpha1.RunStatus, was *v1alpha1.RunStatus) v1alpha1.RunStatus {
	if run.JobUID == "" {
		run = *was
	}
	skip(&run, v1alpha1.ReasonNodeGone, fmt.Sprintf("node %s left the cluster before Job %s had ended", run.Name, run.JobName))
	return run
}
