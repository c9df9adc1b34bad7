package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// flowWorld is one JobFlow in a simulated cluster: reconciles that may be cut off
// at any point, and Jobs that end as they please.
type flowWorld struct {
	*simulated
	flow  *v1alpha1.JobFlow
	graph *graph.Graph
}

func newFlowWorld(t *rapid.T) *flowWorld {
	n := rapid.IntRange(1, 12).Draw(t, "steps")
	steps := make([]string, n)
	for i := range steps {
		steps[i] = fmt.Sprintf("s%d:", i)
		for d := range i {
			if rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				steps[i] += fmt.Sprintf(" s%d", d)
			}
		}
	}
	flow := newFlow(rapid.Permutation(steps).Draw(t, "list")...).neverStarted().JobFlow
	for i := range flow.Spec.Flows {
		if rapid.Bool().Draw(t, "ttl") {
			flow.Spec.Flows[i].JobTemplate.TTLSecondsAfterFinished = new(int32(0))
		}
	}
	return &flowWorld{
		simulated: newSimulated(),
		flow:      flow,
		graph:     graphOf(t, flow),
	}
}

// reconcile is one pass, of which only the first writes are done, as if the
// process died after them. With a negative number all are.
func (w *flowWorld) reconcile(t *rapid.T, writes int) {
	seen := plan.FlowObserved{Observed: w.observe(w.flow.Status.Flows)}
	before := w.flow.DeepCopy()
	p := plan.Flow(w.flow, w.graph, seen, w.now)

	failed := before.Status.Failed > 0
	for _, state := range seen.Jobs {
		failed = failed || state.Phase == v1alpha1.PhaseFailed
	}
	for _, creation := range p.Create {
		step := &w.flow.Spec.Flows[creation.Run]
		if failed {
			t.Fatalf("step %s starts though one has failed", step.Name)
		}
		for _, dependency := range step.Dependencies {
			if w.results[dependency] != v1alpha1.PhaseSucceeded {
				t.Fatalf("step %s starts before %s is Complete", step.Name, dependency)
			}
		}
	}
	alive := w.apply(t, &p, writes)
	if limit := w.flow.Spec.Parallelism; limit != nil && len(p.Create) > 0 && len(w.open()) > int(*limit) {
		t.Fatalf("%d Jobs run, %d may", len(w.open()), *limit)
	}
	if !alive {
		return
	}
	next := status.Flow(w.flow, &p, w.now)
	if diff := cmp.Diff(before, w.flow); diff != "" {
		t.Fatalf("the pass changed the object that it read:\n%s", diff)
	}
	w.checkLatched(t, w.flow.Status.Flows, next.Flows)
	w.flow.Status = next
}

// resting checks that another pass finds nothing to do and nothing to write.
func (w *flowWorld) resting(t *rapid.T) {
	w.now = w.now.Add(time.Second)
	p := plan.Flow(w.flow, w.graph, plan.FlowObserved{Observed: w.observe(w.flow.Status.Flows)}, w.now)
	if len(p.Create)+len(p.Update)+len(p.Delete) > 0 {
		t.Fatalf("a flow at rest has things to do: %+v", p)
	}
	if diff := cmp.Diff(w.flow.Status, status.Flow(w.flow, &p, w.now)); diff != "" {
		t.Fatalf("a flow at rest gets another status:\n%s", diff)
	}
}

// settle lets everything go on and end, and reconciles until nothing changes.
func (w *flowWorld) settle(t *rapid.T) {
	w.flow.Spec.Suspend = nil
	for range 4*len(w.flow.Spec.Flows) + 8 {
		w.reconcile(t, -1)
		for _, name := range w.open() {
			w.end(name, v1alpha1.PhaseSucceeded)
		}
		if plan.Ended(w.flow) {
			w.reconcile(t, -1)
			return
		}
	}
	t.Fatalf("no end: %+v", w.flow.Status)
}

func (w *flowWorld) checkEnd(t *rapid.T) {
	want := v1alpha1.StateSucceed
	for i := range w.flow.Status.Flows {
		run := &w.flow.Status.Flows[i]
		result := w.results[run.Name]
		if result == "" {
			result = v1alpha1.PhaseSkipped
		}
		if run.Phase != result {
			t.Fatalf("step %s is %s in status, but its Job %s", run.Name, run.Phase, result)
		}
		if result != v1alpha1.PhaseSucceeded {
			want = v1alpha1.StateFailed
		}
	}
	if got := w.flow.Status.State; got != want {
		t.Fatalf("state %s, want %s: %s", got, want, w.flow.Status.Message)
	}
}

func TestAnyFlowRunsEachStepOnceAndEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newFlowWorld(t)
		pick := func(t *rapid.T, names []string) string {
			if len(names) == 0 {
				t.Skip("none")
			}
			return rapid.SampledFrom(names).Draw(t, "step")
		}
		t.Repeat(map[string]func(*rapid.T){
			"reconcile": func(t *rapid.T) { w.reconcile(t, -1) },
			"crash":     func(t *rapid.T) { w.reconcile(t, rapid.IntRange(0, 4).Draw(t, "writes")) },
			"complete":  func(t *rapid.T) { w.end(pick(t, w.runnable()), v1alpha1.PhaseSucceeded) },
			"fail": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "rarely") > 0 {
					t.Skip("not now")
				}
				w.end(pick(t, w.runnable()), v1alpha1.PhaseFailed)
			},
			"let the TTL controller work": func(*rapid.T) { w.collect() },
			"toggle suspend": func(*rapid.T) {
				w.flow.Spec.Suspend = new(w.flow.Spec.Suspend == nil || !*w.flow.Spec.Suspend)
			},
			"toggle a queue": func(t *rapid.T) { w.queue(pick(t, w.open())) },
			"set parallelism": func(t *rapid.T) {
				w.flow.Spec.Parallelism = new(rapid.Int32Range(1, 4).Draw(t, "parallelism"))
			},
		})
		w.settle(t)
		w.checkEnd(t)
		w.collect()
		w.resting(t)
	})
}

func TestAnyFlowEndsAtItsDeadline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newFlowWorld(t)
		w.flow.Spec.ActiveDeadlineSeconds = new(int64(60))
		for range rapid.IntRange(1, 10).Draw(t, "passes") {
			w.reconcile(t, rapid.IntRange(-1, 3).Draw(t, "writes"))
			for _, name := range w.runnable() {
				switch rapid.IntRange(0, 2).Draw(t, "end") {
				case 0:
					w.end(name, v1alpha1.PhaseSucceeded)
				case 1:
					w.queue(name)
				}
			}
		}
		w.reconcile(t, -1) // what runs is recorded
		w.now = w.now.Add(time.Minute)
		for range 3 {
			w.reconcile(t, -1)
			for _, name := range w.open() {
				if _, marked := w.jobs[name].Annotations[v1alpha1.DeadlineAnnotation]; !marked {
					t.Fatalf("the Job of step %s goes on after the deadline", name)
				}
				w.end(name, v1alpha1.PhaseFailed)
			}
			w.finishDeletions()
		}
		if !plan.Ended(w.flow) {
			t.Fatalf("no end: %+v", w.flow.Status)
		}
		w.resting(t)
	})
}
