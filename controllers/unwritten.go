package controllers

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

const (
	// gatherResults is how long results, and what steps wait for, are gathered for one
	// write. Steps that end within it cost one write together.
	gatherResults = 500 * time.Millisecond
	// gatherPerRun is added for each step or node, since each write has all of them:
	// some 300 KB for 1,000.
	gatherPerRun = time.Millisecond
)

// window is how long a change of status may wait for others. A change of state does
// not wait at all. That a Job was created is to be recorded soon: if the process died
// and the Job was deleted before that, nothing would tell that it ever existed.
func window(before, after *v1alpha1.Summary, runsBefore, runsAfter []v1alpha1.RunStatus) time.Duration {
	if before.State != after.State {
		return 0
	}
	wait := time.Duration(len(runsAfter)) * gatherPerRun
	if !hasNewJob(runsBefore, runsAfter) {
		wait += gatherResults
	}
	return wait
}

func hasNewJob(before, after []v1alpha1.RunStatus) bool {
	known := make(map[string]string, len(before))
	for i := range before {
		known[before[i].Name] = before[i].JobUID
	}
	return slices.ContainsFunc(after, func(run v1alpha1.RunStatus) bool { return run.JobUID != "" && run.JobUID != known[run.Name] })
}

// unwritten keeps statuses that were computed and not written yet. It is what makes
// the cost of a step independent of how many others the status has: Jobs are created
// at once, while status follows a moment later.
//
// To plan from it is as good as to plan from what is written, since only this process
// writes status. It is lost with the process, as if that had died just before the
// write; what may only happen once a result is recorded waits for the write
// (plan.Observed.Unrecorded).
type unwritten[S any] struct {
	mu    sync.Mutex
	known map[types.NamespacedName]gathered[S]
}

type gathered[S any] struct {
	uid    types.UID
	status S
	since  time.Time
}

func newUnwritten[S any]() *unwritten[S] {
	return &unwritten[S]{known: map[types.NamespacedName]gathered[S]{}}
}

// of is the newest status of an object: the one that is not written yet, if any. That
// may have been written though no answer came. An end stands as it was written.
func (u *unwritten[S]) of(object client.Object, written S, summary *v1alpha1.Summary) (newest S, differs bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	g, found := u.known[key]
	if !found || g.uid != object.GetUID() {
		return written, false
	}
	if plan.Ended(summary) || equality.Semantic.DeepEqual(g.status, written) {
		delete(u.known, key)
		return written, false
	}
	return g.status, true
}

// gather keeps a status, and says how much of the window is left: the wait began with
// the first change that the status has.
func (u *unwritten[S]) gather(object client.Object, status S, window time.Duration, now time.Time) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	key, since := client.ObjectKeyFromObject(object), now
	// Where the clock was set back, the wait begins anew.
	if g, found := u.known[key]; found && g.uid == object.GetUID() && !g.since.After(now) {
		since = g.since
	}
	u.known[key] = gathered[S]{object.GetUID(), status, since}
	return max(0, window-now.Sub(since))
}

// forget is for a status that was written, or never will be.
func (u *unwritten[S]) forget(object types.NamespacedName) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.known, object)
}
