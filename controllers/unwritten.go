package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

const (
	// gatherAtLeast is how long changes of a status are gathered for one write. Steps
	// that end within it cost one write together.
	gatherAtLeast = 500 * time.Millisecond
	// gatherPerRun is added for each step or node: a status of 1,000 entries has some
	// 300 KB, each time.
	gatherPerRun = time.Millisecond
)

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

// gather keeps a status, and says how long its write may wait: not at all for a change
// of state, and otherwise until the first change that it holds is old enough.
func (u *unwritten[S]) gather(object client.Object, status S, before, after *v1alpha1.Summary, runs int, now time.Time) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	key, since := client.ObjectKeyFromObject(object), now
	// Where the clock was set back, the wait begins anew.
	if g, found := u.known[key]; found && g.uid == object.GetUID() && !g.since.After(now) {
		since = g.since
	}
	u.known[key] = gathered[S]{object.GetUID(), status, since}
	if before.State != after.State {
		return 0
	}
	return max(0, gatherAtLeast+time.Duration(runs)*gatherPerRun-now.Sub(since))
}

// forget is for a status that was written, or never will be.
func (u *unwritten[S]) forget(object types.NamespacedName) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.known, object)
}
