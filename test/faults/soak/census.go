package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// census sees by its own watches, which nobody cuts, every Job and parent that comes
// and goes, and checks what has to hold.
type census struct {
	mu      sync.Mutex
	parents map[types.UID]*life
	// nodes counts how many times each node has joined.
	nodes map[string]int
	// ended and deleted count parents.
	ended, deleted, jobs int
	toEnd                []time.Duration
	checks               int
	violations           []string
	more                 int
}

// life is that of one JobFlow or DaemonJob.
type life struct {
	name    string
	runs    map[string][]*run
	changed int
	ended   bool
	deleted bool
	// skipped are the steps that have ended so: no Job of them ever was.
	skipped map[string]bool
	// nodes is census.nodes when the first Job was seen.
	nodes map[string]int
}

// run is one Job.
type run struct {
	uid types.UID
	// complete is set by its condition, proved by the success of its pod.
	complete, proved bool
}

// mostViolations are kept; a fault that breaks everything needs no more of them.
const mostViolations = 50

func newCensus() *census {
	return &census{parents: map[types.UID]*life{}, nodes: map[string]int{}}
}

// handler passes what a watch brings on to see and gone.
func handler(see, gone func(client.Object)) toolscache.ResourceEventHandlerFuncs {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { see(object.(client.Object)) },
		UpdateFunc: func(_, object any) { see(object.(client.Object)) },
		DeleteFunc: func(object any) {
			if missed, was := object.(toolscache.DeletedFinalStateUnknown); was {
				object = missed.Obj
			}
			gone(object.(client.Object))
		},
	}
}

// must checks one invariant. The caller holds the lock.
func (c *census) must(holds bool, format string, args ...any) {
	c.checks++
	switch {
	case holds:
	case len(c.violations) < mostViolations:
		c.violations = append(c.violations, fmt.Sprintf(format, args...))
	default:
		c.more++
	}
}

// check is must for those who do not hold the lock.
func (c *census) check(holds bool, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.must(holds, format, args...)
}

func (c *census) life(uid types.UID, name string) *life {
	found := c.parents[uid]
	if found == nil {
		found = &life{name: name, runs: map[string][]*run{}, skipped: map[string]bool{}, nodes: maps.Clone(c.nodes)}
		c.parents[uid] = found
	}
	return found
}

// nodeJoins is told before the node is created: no Job of it can be seen earlier.
func (c *census) nodeJoins(node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[node]++
}

// seeJob: a step's Job is created once, and after all that it depends on is done.
func (c *census) seeJob(object client.Object) {
	job := object.(*batchv1.Job)
	owner := metav1.GetControllerOfNoCopy(job)
	if owner == nil || workloadOf(owner.Name) == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w, parent, name := workloadOf(owner.Name), c.life(owner.UID, owner.Name), job.Annotations[v1alpha1.RunAnnotation]
	runs := parent.runs[name]
	at := slices.IndexFunc(runs, func(r *run) bool { return r.uid == job.UID })
	if at < 0 {
		at = len(runs)
		parent.runs[name] = append(runs, &run{uid: job.UID})
		c.jobs++
		if w.daemon != nil {
			// A node that left and came back gets another Job if its first had not ended.
			lives := 1 + c.nodes[name] - parent.nodes[name]
			c.must(at < lives, "%s: Job %s is number %d in %d lives of the node", owner.Name, job.Name, at+1, lives)
		} else {
			c.must(at == 0, "%s: the Job of step %s is created %d times", owner.Name, name, at+1)
			c.must(!parent.skipped[name], "%s: step %s has a Job and is Skipped", owner.Name, name)
		}
		for _, dependency := range w.dependencies(name) {
			c.must(parent.done(dependency), "%s: step %s started before %s was done", owner.Name, name, dependency)
		}
	}
	if endOf(job) == batchv1.JobComplete {
		parent.runs[name][at].complete = true
	}
}

func (l *life) done(step string) bool {
	return slices.ContainsFunc(l.runs[step], func(r *run) bool { return r.complete || r.proved })
}

// podSucceeds is told before the pod is written: nothing may rely on it earlier. The
// player may see a Job before the census does.
func (c *census) podSucceeds(job *batchv1.Job) {
	c.seeJob(job)
	c.mu.Lock()
	defer c.mu.Unlock()
	owner := metav1.GetControllerOfNoCopy(job)
	for _, r := range c.life(owner.UID, owner.Name).runs[job.Annotations[v1alpha1.RunAnnotation]] {
		r.proved = r.proved || r.uid == job.UID
	}
}

// seeParent: what has ended has ended as expected, and stays so.
func (c *census) seeParent(object client.Object) {
	w := workloadOf(object.GetName())
	if w == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	parent := c.life(object.GetUID(), object.GetName())
	summary, runs := standing(object)
	if !hasEnded(summary) {
		c.must(!parent.ended, "%s: had ended and is %s again", parent.name, summary.State)
		return
	}
	if !parent.ended {
		parent.ended = true
		c.ended++
		if summary.CompletionTime != nil {
			c.toEnd = append(c.toEnd, summary.CompletionTime.Sub(object.GetCreationTimestamp().Time))
		}
	}
	c.must(summary.State == w.end, "%s: ended as %s instead of %q: %s", parent.name, summary.State, w.end, summary.Message)
	for i := range runs {
		want, special := w.phases[runs[i].Name]
		if !special {
			want = v1alpha1.PhaseSucceeded
		}
		if w.daemon == nil && runs[i].Phase == v1alpha1.PhaseSkipped {
			parent.skipped[runs[i].Name] = true
			c.must(len(parent.runs[runs[i].Name]) == 0, "%s: step %s has a Job and is Skipped", parent.name, runs[i].Name)
		}
		// One that was away, or was not ready yet when all others had ended, is left out.
		without := w.daemon != nil && moves(runs[i].Name) && runs[i].Phase == v1alpha1.PhaseSkipped
		instead := runs[i].Phase == w.instead[runs[i].Name]
		c.must(runs[i].Phase == want || instead || without, "%s: %s ended as %s instead of %s: %s %s",
			parent.name, runs[i].Name, runs[i].Phase, want, runs[i].Reason, runs[i].Message)
	}
}

// parentGone: nothing is deleted before it has ended, unless that is the workload.
func (c *census) parentGone(object client.Object) {
	c.seeParent(object)
	w := workloadOf(object.GetName())
	if w == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	parent := c.life(object.GetUID(), object.GetName())
	c.must(parent.ended || w.end == "", "%s: was deleted before it had ended", parent.name)
	parent.deleted = true
	c.deleted++
}

// nextChange is the change that a parent waits for, and its number.
func (c *census) nextChange(object client.Object) (next *change, number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, parent := workloadOf(object.GetName()), c.life(object.GetUID(), object.GetName())
	if w == nil || parent.changed >= len(w.changes) {
		return nil, 0
	}
	return &w.changes[parent.changed], parent.changed
}

func (c *census) changed(object client.Object, number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.life(object.GetUID(), object.GetName()).changed = number + 1
}

// counts are for progress.
func (c *census) counts() (ended, deleted, jobs int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended, c.deleted, c.jobs
}

// endOf is the condition by which a Job has ended, or empty.
func endOf(job *batchv1.Job) batchv1.JobConditionType {
	for _, condition := range job.Status.Conditions {
		if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			return condition.Type
		}
	}
	return ""
}
