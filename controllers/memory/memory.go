// Package memory holds what this process knows about JobFlows and DaemonJobs that neither
// the cache nor their status shows. It can be lost: status is the ledger, and what is missing
// here costs live reads.
//
//	barrier.go  from which version on a parent has everything that was ever recorded
//	jobs.go     Jobs that were created, or may have been, and that the cache does not show
//	graph.go    the graph of a JobFlow's steps
//	cooldown.go the pause between two reconciles of a large parent
package memory

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// Memory has one entry for each parent that has not ended.
type Memory struct {
	live client.Reader
	// asking is held by the reconcile that asks for a barrier.
	asking chan struct{}

	mu       sync.Mutex
	barriers map[string]string // resource versions by kind
	entries  map[Key]*entry
}

// Key names a parent. Its UID is not part of it: of a parent that is gone only the name is
// known.
type Key struct {
	Kind string
	types.NamespacedName
}

type entry struct {
	uid types.UID
	// read is the resource version of a live read; empty without one.
	read     string
	jobs     Jobs
	failures plan.CreateFailures
	graph    *graph.Graph
	cooldown cooldown
}

// New returns an empty memory. live reads from the API server.
func New(live client.Reader) *Memory {
	return &Memory{live: live, asking: make(chan struct{}, 1), barriers: map[string]string{}, entries: map[Key]*entry{}}
}

// KeyOf returns the key of a parent.
func KeyOf(parent v1alpha1.Parent) Key {
	return Key{parent.GetKind(), client.ObjectKeyFromObject(parent)}
}

// Forget is for a parent that is gone or has ended.
func (m *Memory) Forget(parent Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, parent)
}

// CreateFailures returns those of a parent. Only its own reconcile uses them, which does not
// run twice at a time.
func (m *Memory) CreateFailures(parent v1alpha1.Parent) *plan.CreateFailures {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &m.entry(parent).failures
}

// find returns the entry of a parent, or nil. It is called with mu held.
func (m *Memory) find(parent v1alpha1.Parent) *entry {
	if e := m.entries[KeyOf(parent)]; e != nil && e.uid == parent.GetUID() {
		return e
	}
	return nil
}

// entry returns the entry of a parent. It replaces one of an earlier object of that name. It
// is called with mu held.
func (m *Memory) entry(parent v1alpha1.Parent) *entry {
	e := m.find(parent)
	if e == nil {
		e = &entry{uid: parent.GetUID(), jobs: Jobs{}}
		m.entries[KeyOf(parent)] = e
	}
	return e
}

// expired reports whether something is older than a limit. Concurrent reconciles each have
// their own now, which may be slightly before at; where it is long before, the clock was set
// back.
func expired(at, now time.Time, limit time.Duration) bool {
	return now.Sub(at).Abs() >= limit
}
