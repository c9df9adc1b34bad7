package plan_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/sets"
	"pgregory.net/rapid"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// daemonWorld is one DaemonJob in a simulated cluster whose nodes come and go.
type daemonWorld struct {
	*simulated
	dj    *v1alpha1.DaemonJob
	nodes map[string]nodeKind
	// left are the nodes that have been away at least once.
	left sets.Set[string]
}

type nodeKind int

const (
	fits nodeKind = iota
	tainted
	unfit
)

func newDaemonWorld(t *rapid.T) *daemonWorld {
	dj := newDaemon().DaemonJob
	dj.Status = v1alpha1.DaemonJobStatus{}
	if rapid.Bool().Draw(t, "ttl") {
		dj.Spec.TTLSecondsAfterFinished = new(int32(0))
	}
	w := &daemonWorld{simulated: newSimulated(), dj: dj, nodes: map[string]nodeKind{}, left: sets.New[string]()}
	// A node gets another Job only if it was away and no Job of it has ended.
	w.mayCreate = func(node string) bool {
		kind, there := w.nodes[node]
		return there && kind == fits && w.results[node] == "" && (w.created[node] == 0 || w.left.Has(node))
	}
	return w
}

func (w *daemonWorld) observeNodes() plan.DaemonObserved {
	seen := plan.DaemonObserved{Observed: w.observe(w.dj.Status.Nodes), Nodes: sets.New[string]()}
	for _, name := range slices.Sorted(maps.Keys(w.nodes)) {
		seen.Nodes.Insert(name)
		switch w.nodes[name] {
		case fits:
			seen.Placement = append(seen.Placement, placement.Decision{Node: name, Run: true})
		case tainted:
			seen.Placement = append(seen.Placement, placement.Decision{Node: name, Reason: v1alpha1.ReasonUntoleratedTaint, Message: "t"})
		case unfit:
		}
	}
	return seen
}

// reconcile is one pass, of which only the first writes are done, as if the
// process died after them. With a negative number all are.
func (w *daemonWorld) reconcile(t *rapid.T, writes int) {
	seen, before := w.observeNodes(), w.dj.DeepCopy()
	p := plan.Daemon(w.dj, seen, w.now)
	for _, doomed := range p.Delete {
		if node := doomed.Annotations[v1alpha1.RunAnnotation]; !w.left.Has(node) {
			t.Fatalf("the Job of node %s is deleted, which was never away", node)
		}
	}
	if !w.apply(t, &p, writes) {
		return
	}
	next := status.Daemon(w.dj, &p, seen.Nodes, w.now)
	if diff := cmp.Diff(before, w.dj); diff != "" {
		t.Fatalf("the pass changed the object that it read:\n%s", diff)
	}
	w.checkLatched(t, w.dj.Status.Nodes, next.Nodes)
	for i := range next.Nodes {
		if got, most := int(next.Nodes[i].Attempt), w.created[next.Nodes[i].Name]; got > most {
			t.Fatalf("attempt %d of node %s, which had %d Jobs", got, next.Nodes[i].Name, most)
		}
	}
	w.dj.Status = next
}

// settle lets everything go on and end, and reconciles until nothing changes.
func (w *daemonWorld) settle(t *rapid.T) {
	w.dj.Spec.Suspend = nil
	for range 8 {
		w.reconcile(t, -1)
		w.finishDeletions()
		for _, name := range w.open() {
			if _, there := w.nodes[name]; there {
				w.end(name, v1alpha1.PhaseSucceeded)
			}
		}
	}
	w.now = w.now.Add(time.Second)
	seen := w.observeNodes()
	p := plan.Daemon(w.dj, seen, w.now)
	if len(p.Create)+len(p.Update)+len(p.Delete) > 0 {
		t.Fatalf("a DaemonJob at rest has things to do: %+v", p)
	}
	if diff := cmp.Diff(w.dj.Status, status.Daemon(w.dj, &p, seen.Nodes, w.now)); diff != "" {
		t.Fatalf("a DaemonJob at rest gets another status:\n%s", diff)
	}
}

func (w *daemonWorld) checkEnd(t *rapid.T) {
	listed := map[string]v1alpha1.RunStatus{}
	for i := range w.dj.Status.Nodes {
		listed[w.dj.Status.Nodes[i].Name] = w.dj.Status.Nodes[i]
	}
	want := v1alpha1.StatePending
	for _, node := range slices.Sorted(maps.Keys(w.results)) {
		if w.left.Has(node) && listed[node].Reason == v1alpha1.ReasonNodeGone {
			continue // it came back and its Job ended, but the DaemonJob had ended without it
		}
		if listed[node].Phase != w.results[node] {
			t.Fatalf("node %s is %s in status, but its Job %s", node, listed[node].Phase, w.results[node])
		}
		if want != v1alpha1.StateFailed {
			want = v1alpha1.StateSucceed
		}
		if w.results[node] == v1alpha1.PhaseFailed {
			want = v1alpha1.StateFailed
		}
	}
	if got := w.dj.Status.State; got != want {
		t.Fatalf("state %s, want %s: %s\n%+v", got, want, w.dj.Status.Message, w.dj.Status.Nodes)
	}
	if open := w.open(); len(open) > 0 {
		t.Fatalf("Jobs are left that never end: %v", open)
	}
}

func TestAnyDaemonJobRunsOnceANodeAndEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newDaemonWorld(t)
		names := []string{"n1", "n2", "n3", "n4"}
		anyNode := func(t *rapid.T) string { return rapid.SampledFrom(names).Draw(t, "node") }
		onNode := func(t *rapid.T) string {
			name := anyNode(t)
			if _, there := w.nodes[name]; !there || !slices.Contains(w.runnable(), name) {
				t.Skip("no Job runs there")
			}
			return name
		}
		t.Repeat(map[string]func(*rapid.T){
			"reconcile": func(t *rapid.T) { w.reconcile(t, -1) },
			"crash":     func(t *rapid.T) { w.reconcile(t, rapid.IntRange(0, 4).Draw(t, "writes")) },
			"a node joins or changes": func(t *rapid.T) {
				w.nodes[anyNode(t)] = rapid.SampledFrom([]nodeKind{fits, fits, tainted, unfit}).Draw(t, "kind")
			},
			"a node leaves": func(t *rapid.T) {
				name := anyNode(t)
				if _, there := w.nodes[name]; there {
					delete(w.nodes, name)
					w.left.Insert(name)
				}
			},
			"complete": func(t *rapid.T) { w.end(onNode(t), v1alpha1.PhaseSucceeded) },
			"fail": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "rarely") > 0 {
					t.Skip("not now")
				}
				w.end(onNode(t), v1alpha1.PhaseFailed)
			},
			"finish deletions":            func(*rapid.T) { w.finishDeletions() },
			"let the TTL controller work": func(*rapid.T) { w.collect() },
			"toggle suspend":              func(*rapid.T) { w.dj.Spec.Suspend = new(w.dj.Spec.Suspend == nil || !*w.dj.Spec.Suspend) },
			"change a setting": func(t *rapid.T) {
				w.dj.Spec.BackoffLimit = new(rapid.Int32Range(0, 3).Draw(t, "backoffLimit"))
			},
		})
		w.settle(t)
		w.checkEnd(t)
	})
}
