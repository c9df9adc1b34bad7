package apitest_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
)

// perRunner is how many graphs each of the concurrent runners tries. The flag -rapid.checks
// overrides it: 63 make 504 graphs.
const perRunner = "8"

// The spec plays the Job controller: it ends Jobs in random order, some of them as
// failed, and deletes some that have ended. Sometimes the operator is restarted in
// the middle. Whatever happens, a step's Job is created once, and not before those of
// its dependencies are Complete, and the final state is right.
var _ = It("runs the steps of random graphs once and in order", func() {
	const together = 8
	setDefault("rapid.checks", perRunner)
	r := &graphRunner{namespace: newNamespace()}
	r.jobs = watchJobs(GinkgoTB(), r.namespace)
	r.operator = startOperator(r.namespace)
	DeferCleanup(func() { r.operator.stop() })
	began := time.Now()
	var all sync.WaitGroup
	for range together {
		all.Go(func() {
			defer GinkgoRecover()
			rapid.Check(GinkgoTB(), r.run)
		})
	}
	all.Wait()
	AddReportEntry("graphs", fmt.Sprintf("%d graphs, %d steps, %d restarts of the operator, %s",
		r.graphs, r.steps, r.restarts, time.Since(began).Round(time.Second)))
})

// graphRunner is what graphs that run side by side share.
type graphRunner struct {
	namespace string
	jobs      *jobLog

	mu                      sync.Mutex
	operator                *operator
	graphs, steps, restarts int
}

// name is that of the next graph.
func (r *graphRunner) name(graph *randomGraph) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.graphs++
	r.steps += len(graph.steps)
	return fmt.Sprintf("g%d", r.graphs)
}

func (r *graphRunner) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.operator.stop()
	r.operator = startOperator(r.namespace)
	r.restarts++
}

func (r *graphRunner) run(t *rapid.T) {
	g := NewWithT(t)
	graph := drawGraph(t)
	flow := graph.flow(r.namespace, r.name(graph))
	g.Expect(k8s.Create(ctx, flow)).To(Succeed())

	model := newModel(graph)
	for !model.over() {
		g.Eventually(func() []string { return r.jobs.created(flow.Name) }, limit.Hang, 2*time.Millisecond).
			Should(ConsistOf(model.started()), "the Jobs that must exist by now")
		if rapid.IntRange(0, 99).Draw(t, "restart") == 50 {
			r.restart()
		}
		next := rapid.SampledFrom(model.open()).Draw(t, "ends")
		name := flow.Name + "-" + next
		if graph.fails[next] {
			g.Expect(finish(r.namespace, name, batchv1.JobFailed, "BackoffLimitExceeded", "")).To(Succeed())
		} else {
			g.Expect(finish(r.namespace, name, batchv1.JobComplete, "CompletionsReached", "")).To(Succeed())
		}
		model.end(next)
		if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
			g.Eventually(flowPhases(r.namespace, flow.Name), limit.Hang, 50*time.Millisecond).
				Should(HaveKeyWithValue(next, HavePrefix(string(model.phase(next)))), "the result is recorded")
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name}}
			g.Expect(k8s.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		}
	}

	g.Eventually(flowState(r.namespace, flow.Name), limit.Hang, 50*time.Millisecond).Should(Equal(model.state()))
	g.Expect(r.jobs.created(flow.Name)).To(ConsistOf(model.started()), "nothing ran that should not have")
	for name, times := range r.jobs.times(flow.Name) {
		g.Expect(times).To(Equal(1), "Job %s was created once", name)
	}
	for _, run := range flowStatus(r.namespace, flow.Name)(g).Flows {
		g.Expect(run.Phase).To(Equal(model.phase(run.Name)), "phase of %s", run.Name)
	}
}

// setDefault sets a flag unless the command line does.
func setDefault(name, value string) {
	GinkgoHelper()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	if !set {
		Expect(flag.Set(name, value)).To(Succeed())
	}
}

// randomGraph is a graph of steps; a step depends only on steps before it.
type randomGraph struct {
	steps []string
	deps  map[string][]string
	fails map[string]bool
}

func drawGraph(t *rapid.T) *randomGraph {
	g := &randomGraph{deps: map[string][]string{}, fails: map[string]bool{}}
	size := rapid.IntRange(1, 10).Draw(t, "steps")
	density := rapid.IntRange(0, 9).Draw(t, "density")
	failing := rapid.IntRange(0, 2).Draw(t, "with failures") == 0
	for i := range size {
		name := fmt.Sprintf("s%d", i)
		for _, earlier := range g.steps {
			if rapid.IntRange(0, 9).Draw(t, "edge") < density {
				g.deps[name] = append(g.deps[name], earlier)
			}
		}
		g.fails[name] = failing && rapid.IntRange(0, 4).Draw(t, "fails") == 0
		g.steps = append(g.steps, name)
	}
	return g
}

func (g *randomGraph) flow(namespace, name string) *v1alpha1.JobFlow {
	flow := build.Flow(namespace, name)
	for _, s := range g.steps {
		flow.Spec.Flows = append(flow.Spec.Flows, step(s, g.deps[s]...))
	}
	slices.Reverse(flow.Spec.Flows) // the order in the spec means nothing
	return flow
}

// model is what a JobFlow must do, said without a controller.
type model struct {
	graph *randomGraph
	run   map[string]v1alpha1.Phase
}

func newModel(graph *randomGraph) *model {
	m := &model{graph: graph, run: map[string]v1alpha1.Phase{}}
	m.start()
	return m
}

func (m *model) failed() bool {
	return slices.Contains(slices.Collect(maps.Values(m.run)), v1alpha1.PhaseFailed)
}

func (m *model) start() {
	if m.failed() {
		return
	}
	for _, s := range m.graph.steps {
		ready := !slices.ContainsFunc(m.graph.deps[s], func(d string) bool { return m.run[d] != v1alpha1.PhaseSucceeded })
		if _, started := m.run[s]; ready && !started {
			m.run[s] = v1alpha1.PhaseRunning
		}
	}
}

func (m *model) end(s string) {
	m.run[s] = v1alpha1.PhaseSucceeded
	if m.graph.fails[s] {
		m.run[s] = v1alpha1.PhaseFailed
	}
	m.start()
}

func (m *model) started() []string {
	return slices.Sorted(maps.Keys(m.run))
}

func (m *model) open() []string {
	var open []string
	for _, s := range m.started() {
		if m.run[s] == v1alpha1.PhaseRunning {
			open = append(open, s)
		}
	}
	return open
}

func (m *model) over() bool { return len(m.open()) == 0 }

func (m *model) phase(s string) v1alpha1.Phase {
	if phase, started := m.run[s]; started {
		return phase
	}
	return v1alpha1.PhaseSkipped
}

func (m *model) state() v1alpha1.State {
	if m.failed() {
		return v1alpha1.StateFailed
	}
	return v1alpha1.StateSucceed
}

// jobLog counts the creations of Jobs that a watch has seen.
type jobLog struct {
	mu    sync.Mutex
	count map[string]map[string]int // flow, step
}

func watchJobs(t testing.TB, namespace string) *jobLog {
	watching, cancel := context.WithCancel(ctx)
	stream, err := k8s.Watch(watching, &batchv1.JobList{}, client.InNamespace(namespace))
	if err != nil {
		t.Fatal(err)
	}
	log := &jobLog{count: map[string]map[string]int{}}
	var done sync.WaitGroup
	done.Go(func() {
		for e := range stream.ResultChan() {
			job, ok := e.Object.(*batchv1.Job)
			if e.Type == watch.Added && ok {
				log.add(job.Labels[v1alpha1.JobFlowLabel], job.Labels[v1alpha1.FlowLabel])
			}
		}
		if watching.Err() == nil {
			t.Error("the watch of the test broke: creations may have been missed")
		}
	})
	t.Cleanup(func() { cancel(); stream.Stop(); done.Wait() })
	return log
}

func (l *jobLog) add(flow, step string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count[flow] == nil {
		l.count[flow] = map[string]int{}
	}
	l.count[flow][step]++
}

// created are the steps of a flow whose Job was ever created.
func (l *jobLog) created(flow string) []string {
	return slices.Sorted(maps.Keys(l.times(flow)))
}

func (l *jobLog) times(flow string) map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.count[flow])
}
