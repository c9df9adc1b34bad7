package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// measurement is what one run of a workload took. Of the floor only the first two are
// known.
type measurement struct {
	// Wall is in seconds: from the first request to the last Job seen Complete, for
	// the operator to the last object seen at its end.
	Wall float64 `json:"wallSeconds"`
	// Edges are in milliseconds, sorted.
	Edges []float64 `json:"edgesMilliseconds"`
	// Requests are the operator's own, by verb and resource.
	Requests   map[string]int `json:"requests,omitempty"`
	CPU        float64        `json:"cpuSeconds,omitempty"`
	RSSBefore  float64        `json:"rssBeforeMiB,omitempty"`
	RSSPeak    float64        `json:"rssPeakMiB,omitempty"`
	Reconciles float64        `json:"reconciles,omitempty"`
}

// longestRun is how long a run of a workload may take. The longest takes a minute.
const longestRun = 15 * time.Minute

// measureOperator starts the operator, gives it the workload, and sees it to its end.
func (b *bench) measureOperator(ctx context.Context, w *workload) (m measurement, err error) {
	namespace, err := b.newNamespace(ctx, w.key)
	if err != nil {
		return m, err
	}
	whole := ctx
	ctx, stop := context.WithTimeoutCause(ctx, longestRun, fmt.Errorf("it took longer than %s", longestRun))
	defer stop()
	ctx, ended := context.WithCancelCause(ctx)
	o, err := b.startOperator(ctx, ended)
	if err != nil {
		return m, err
	}
	defer func() {
		if stopErr := o.Stop(); err == nil {
			err = stopErr
		}
		if err == nil {
			err = b.clear(whole, namespace)
		}
	}()
	jobs, err := observe(ctx, b.ours, namespace)
	if err != nil {
		return m, err
	}
	defer jobs.close()
	audit, err := newAuditTail(b.auditLog)
	if err != nil {
		return m, err
	}
	defer audit.file.Close() //nolint:errcheck // It is only read.
	before, err := usageOf(ctx, o)
	if err != nil {
		return m, err
	}
	// What the operator holds at rest belongs to its peak where that is measured.
	m.RSSBefore = before.rss
	tasks := w.tasks(namespace, b.nodeNames)
	began := time.Now()
	if err := b.submit(ctx, w, namespace); err != nil {
		return m, err
	}
	seen, err := jobs.await(ctx, len(tasks))
	if err != nil {
		return m, fmt.Errorf("%s: %w", w.key, err)
	}
	if err := b.awaitEnds(ctx, namespace); err != nil {
		return m, fmt.Errorf("%s: waiting for the last end: %w", w.key, cause(ctx, err))
	}
	m.Wall, m.Edges = time.Since(began).Seconds(), edges(tasks, seen)
	after, err := usageOf(ctx, o)
	if err != nil {
		return m, err
	}
	m.CPU, m.Reconciles, m.RSSPeak = after.cpu-before.cpu, after.reconciles-before.reconciles, after.peak
	m.Requests, err = b.requests(ctx, audit)
	return m, err
}

// submit creates the objects of a workload, several at a time.
func (b *bench) submit(ctx context.Context, w *workload, namespace string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	create := func(object client.Object) {
		object.SetNamespace(namespace)
		group.Go(func() error { return b.ours.Create(ctx, object) })
	}
	for _, flow := range w.flows {
		create(flow.DeepCopy())
	}
	for _, dj := range w.daemonJobs {
		create(dj.DeepCopy())
	}
	return group.Wait()
}

// awaitEnds waits until every JobFlow and DaemonJob of a namespace Succeeds.
func (b *bench) awaitEnds(ctx context.Context, namespace string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	h := &history.History{}
	kinds := []client.ObjectList{&v1alpha1.JobFlowList{}, &v1alpha1.DaemonJobList{}}
	if err := h.Follow(ctx, b.ours, kinds, client.InNamespace(namespace)); err != nil {
		return err
	}
	return h.Wait(ctx, func() bool {
		open := false
		for _, object := range history.Objects[client.Object](h) {
			switch summary := flows.Summary(object); summary.State {
			case v1alpha1.StateSucceed:
			case v1alpha1.StateFailed:
				h.Fail(fmt.Errorf("%s Failed: %s", object.GetName(), summary.Message))
				return false
			default:
				open = true
			}
		}
		return !open
	})
}

// result is all runs of one workload.
type result struct {
	Key      string        `json:"key"`
	Title    string        `json:"title"`
	Steps    int           `json:"steps"`
	Base     string        `json:"comparedWith,omitempty"`
	Floor    []measurement `json:"floor"`
	Operator []measurement `json:"operator"`

	goals []goal
	base  *result
}

// metric is one figure of a result.
type metric struct {
	name, unit string
	of         func(r *result) float64
}

var (
	wallRatio     = metric{"wall time, ratio to the floor", "", func(r *result) float64 { return r.wallRatio() }}
	addedP50      = metric{"edge latency over the floor, p50", "ms", func(r *result) float64 { return r.added(0.50) }}
	addedP99      = metric{"edge latency over the floor, p99", "ms", func(r *result) float64 { return r.added(0.99) }}
	writesPerStep = metric{"writes a step", "", func(r *result) float64 {
		return r.perStep(func(m *measurement) float64 { w, _, _ := byKind(m.Requests); return float64(w) })
	}}
	eventsPerStep = metric{"event writes a step", "", func(r *result) float64 {
		return r.perStep(func(m *measurement) float64 { _, e, _ := byKind(m.Requests); return float64(e) })
	}}
	readsPerStep = metric{"reads a step", "", func(r *result) float64 {
		return r.perStep(func(m *measurement) float64 { _, _, n := byKind(m.Requests); return float64(n) })
	}}
	reconciles = metric{"reconciles a step", "", func(r *result) float64 { return r.perStep(func(m *measurement) float64 { return m.Reconciles }) }}
	cpu        = metric{"operator CPU seconds a 1,000 steps", "s", func(r *result) float64 { return 1000 * r.perStep(func(m *measurement) float64 { return m.CPU }) }}
	restRSS    = metric{"resident set before", "MiB", func(r *result) float64 {
		return medianOf(r.Operator, func(m *measurement) float64 { return m.RSSBefore })
	}}
	moreRSS = metric{"peak resident set, more than without", "MiB", func(r *result) float64 { return peakRSS.of(r) - peakRSS.of(r.base) }}
	moreP50 = metric{"edge latency over the floor, p50, more than without", "ms", func(r *result) float64 { return r.added(0.5) - r.base.added(0.5) }}
	peakRSS = metric{"peak resident set", "MiB", func(r *result) float64 {
		return medianOf(r.Operator, func(m *measurement) float64 { return m.RSSPeak })
	}}
)

// goal is what a metric must not exceed.
type goal struct {
	metric metric
	most   float64
}

func (r *result) wallRatio() float64 {
	// Run by run, so that a machine that is busy for a while counts on both sides.
	ratios := make([]float64, 0, len(r.Operator))
	for i := range r.Operator {
		ratios = append(ratios, r.Operator[i].Wall/r.Floor[i].Wall)
	}
	return median(ratios)
}

// added is how much later than the floor the operator makes a Job, at a quantile of
// all edges of all runs.
func (r *result) added(q float64) float64 {
	return quantile(r.edges(r.Operator), q) - quantile(r.edges(r.Floor), q)
}

func (r *result) edges(runs []measurement) []float64 {
	var all []float64
	for i := range runs {
		all = append(all, runs[i].Edges...)
	}
	slices.Sort(all)
	return all
}

func (r *result) perStep(of func(*measurement) float64) float64 {
	return medianOf(r.Operator, of) / float64(r.Steps)
}

func medianOf(runs []measurement, of func(*measurement) float64) float64 {
	values := make([]float64, 0, len(runs))
	for i := range runs {
		values = append(values, of(&runs[i]))
	}
	return median(values)
}

// median is the mean of the two in the middle where their number is even.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	values = slices.Sorted(slices.Values(values))
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// quantile is of sorted values, by the nearest rank.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
}
