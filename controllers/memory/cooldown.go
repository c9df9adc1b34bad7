package memory

import (
	"time"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

const (
	// pausePerReconcile is the pause between two reconciles of a parent, as a multiple of how
	// long they took.
	pausePerReconcile = 2
	// longestPause is the longest pause: a reconcile may also have waited for the API server.
	longestPause = 100 * time.Millisecond
	// shortReconcile is how long a reconcile may take without a pause after it.
	shortReconcile = time.Millisecond
)

// cooldown keeps the reconciles of a large parent apart. Each takes some milliseconds where
// there are 1,000 steps, and every change of a Job or pod causes one: a single reconcile
// sees all the changes of a few milliseconds.
//
// It follows the shorter of the last two reconciles: one alone may have waited for a core,
// 40 ms where it uses 0.2 ms of it, and a step that can start should not wait for that.
//
// Its times are those of time.Now, which is monotonic however the machine's clock is set.
type cooldown struct {
	took, before time.Duration // of the last reconcile that was not short, and of the one before it
	done         time.Time
}

// Cooldown returns how long a parent has to wait for its next reconcile.
func (m *Memory) Cooldown(parent Key, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[parent]
	if e == nil || e.cooldown == (cooldown{}) {
		return 0
	}
	c := e.cooldown
	return min(pausePerReconcile*min(c.took, c.before), longestPause) - now.Sub(c.done)
}

// Reconciled remembers how long a reconcile took.
func (m *Memory) Reconciled(parent v1alpha1.Parent, began, done time.Time) {
	if plan.Ended(parent) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entry(parent)
	if took := done.Sub(began); took >= shortReconcile {
		e.cooldown = cooldown{took: took, before: e.cooldown.took, done: done}
	} else {
		e.cooldown = cooldown{}
	}
}

// ResetCooldown leaves the next reconcile of a parent to the backoff.
func (m *Memory) ResetCooldown(parent Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[parent]; e != nil {
		e.cooldown = cooldown{}
	}
}
