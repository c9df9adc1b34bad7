package plan

import (
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
	// Placement has a decision for each node that may get a Job.
	Placement []placement.Decision
	// Nodes are the names of all nodes in the cluster. A node that is missing here is
	// known to be gone: that is recorded, and then its Job is deleted.
	Nodes sets.Set[string]
}

// daemonPlan is the plan of one DaemonJob while it is made.
type daemonPlan struct {
	Plan
	seen DaemonObserved
}

// Daemon plans a DaemonJob whose spec is valid.
func Daemon(dj *v1alpha1.DaemonJob, seen DaemonObserved, now time.Time) Plan {
	p := &daemonPlan{Plan: newPlan(dj, seen.Observed), seen: seen}
	succeeded := Digest(dj.Status.SucceededDigest)

	if !p.Ended {
		p.startClock(&dj.Status.Summary, ptr.Deref(dj.Spec.Suspend, false), now)
		p.startNodes(dj, succeeded, now)
	}

	for _, name := range slices.Sorted(maps.Keys(seen.Jobs)) {
		job, was := seen.Jobs[name], p.recorded[name]
		if leftBehind(job, was) {
			if !job.Deleting && !seen.Unrecorded {
				p.Delete = append(p.Delete, job.Job)
			}
			continue
		}
		final := was != nil && Final(was.Phase) || succeeded.Has(name)
		p.adjust(job, final && !seen.Unrecorded, &dj.Spec.JobSpec)
	}
	return p.Plan
}

// startNodes decides about each node that has a Job, has a record, or may get a Job.
func (p *daemonPlan) startNodes(dj *v1alpha1.DaemonJob, succeeded Digest, now time.Time) {
	placed := make(map[string]*placement.Decision, len(p.seen.Placement))
	names := sets.KeySet(p.recorded).Union(sets.KeySet(p.seen.Jobs))
	for i := range p.seen.Placement {
		decision := &p.seen.Placement[i]
		placed[decision.Node] = decision
		names.Insert(decision.Node)
	}
	var open []int
	n := &node{plan: p}
	for _, name := range sets.List(names) {
		if succeeded.Has(name) {
			continue // recorded without an entry of its own
		}
		n.was = p.recorded[name]
		n.run, n.placement = p.seen.makeEntry(name, n.was, now), placed[name]
		f := nodeRules.decide(n)
		switch f {
		case leaveOut:
			continue
		case start:
			open = append(open, len(p.Runs))
		}
		f.record(&n.run)
		p.Runs = append(p.Runs, n.run)
	}
	p.failures.sort(open, p.Runs, p.recorded, now)
	for _, i := range open {
		p.Create = append(p.Create, Creation{Run: i, Job: jobs.ForNode(dj, p.Runs[i].Name)})
	}
}
