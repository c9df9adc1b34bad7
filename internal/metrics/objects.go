package metrics

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

var (
	objects = prometheus.NewDesc("jobflow_objects", "JobFlows and DaemonJobs that exist, by state.", []string{"kind", "state"}, nil)

	waitingRuns = prometheus.NewDesc("jobflow_waiting_runs",
		"Steps of JobFlows and nodes of DaemonJobs that are Waiting, by reason.", []string{"kind", "reason"}, nil)

	stalledObjects = prometheus.NewDesc("jobflow_stalled_objects",
		"JobFlows and DaemonJobs that have not ended and in which nothing runs, by reason. Not those that are suspended, queued or being deleted.",
		[]string{"kind", "reason"}, nil)

	stalledSeconds = prometheus.NewDesc("jobflow_stalled_seconds",
		"Time since anything happened to the one of jobflow_stalled_objects that waits longest: since it started or resumed, or a Job of it was created or ended.",
		[]string{"kind", "reason"}, nil)
)

// states are all values of the label state. A state that no object is in counts 0.
var states = []v1alpha1.State{
	v1alpha1.StatePending, v1alpha1.StateRunning, v1alpha1.StateSucceed,
	v1alpha1.StateFailed, v1alpha1.StateTerminating, v1alpha1.StateSuspended,
}

// source is where objects are counted, and the clock for how long they wait.
type source struct {
	reader client.Reader
	now    func() time.Time
}

// cached is nil until a manager has a cache.
var cached atomic.Pointer[source]

// CountObjects makes the metrics about objects count those in the cache.
func CountObjects(reader client.Reader, now func() time.Time) { cached.Store(&source{reader, now}) }

// objectCollector counts the objects in the cache at each scrape. A gauge that is updated
// by events is wrong after the first event that is missed.
type objectCollector struct{}

// Describe implements prometheus.Collector.
func (objectCollector) Describe(out chan<- *prometheus.Desc) {
	out <- objects
	out <- waitingRuns
	out <- stalledObjects
	out <- stalledSeconds
}

// Collect implements prometheus.Collector.
func (objectCollector) Collect(out chan<- prometheus.Metric) {
	from := cached.Load()
	if from == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	readOnly := client.UnsafeDisableDeepCopyOption(true)

	for _, kind := range v1alpha1.ParentKinds {
		list, counted, now := v1alpha1.NewParentList(kind), newCensus(), from.now()
		err := from.reader.List(ctx, list, readOnly)
		if err == nil {
			err = meta.EachListItem(list, func(item runtime.Object) error {
				counted.add(item.(v1alpha1.Parent), now)
				return nil
			})
		}
		if err != nil {
			out <- prometheus.NewInvalidMetric(objects, err)
			return
		}
		counted.collect(kind, out)
	}
}

// census counts the objects of one kind.
type census struct {
	states  map[v1alpha1.State]int
	waiting map[string]int
	stalled map[string]int
	longest map[string]time.Duration
}

func newCensus() census {
	return census{map[v1alpha1.State]int{}, map[string]int{}, map[string]int{}, map[string]time.Duration{}}
}

func (c census) add(parent v1alpha1.Parent, now time.Time) {
	s, runs := parent.GetSummary(), parent.GetRuns()
	c.states[effectiveState(s)]++
	if plan.Ended(parent) {
		return
	}
	for i := range runs {
		if runs[i].Phase == v1alpha1.PhaseWaiting {
			c.waiting[limitTo(waitingReasons, runs[i].Reason)]++
		}
	}
	if reason, since, stalled := findStall(parent.GetCreationTimestamp(), s, runs); stalled {
		c.stalled[reason]++
		c.longest[reason] = max(c.longest[reason], now.Sub(since))
	}
}

func (c census) collect(kind string, out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, label string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, kind, label)
	}
	for _, state := range states {
		gauge(objects, float64(c.states[state]), string(state))
	}
	for _, reason := range waitingReasons {
		gauge(waitingRuns, float64(c.waiting[reason]), reason)
	}
	for _, reason := range stalledReasons {
		gauge(stalledObjects, float64(c.stalled[reason]), reason)
		gauge(stalledSeconds, c.longest[reason].Seconds(), reason)
	}
}

// effectiveState returns the state of an object. One that was never reconciled is Pending.
func effectiveState(s *v1alpha1.Summary) v1alpha1.State {
	if s.State == "" {
		return v1alpha1.StatePending
	}
	return s.State
}
