package metrics

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var objects = prometheus.NewDesc("jobflow_objects", "JobFlows and DaemonJobs that exist, by state.", []string{"kind", "state"}, nil)

// states are all values of the label state: a state that no object is in counts 0.
var states = []v1alpha1.State{
	v1alpha1.StatePending, v1alpha1.StateRunning, v1alpha1.StateSucceed,
	v1alpha1.StateFailed, v1alpha1.StateTerminating, v1alpha1.StateSuspended,
}

// cached is where objects are counted, once a manager has one.
var cached atomic.Pointer[client.Reader]

// CountObjects lets jobflow_objects count what the cache holds.
func CountObjects(reader client.Reader) { cached.Store(&reader) }

// objectCollector counts objects when it is asked, from the cache: a gauge that is
// kept up to date by hand is wrong after the first event that was missed.
type objectCollector struct{}

// Describe implements prometheus.Collector.
func (objectCollector) Describe(out chan<- *prometheus.Desc) { out <- objects }

// Collect implements prometheus.Collector.
func (objectCollector) Collect(out chan<- prometheus.Metric) {
	reader := cached.Load()
	if reader == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	readOnly := client.UnsafeDisableDeepCopyOption(true)

	flows := &v1alpha1.JobFlowList{}
	if err := (*reader).List(ctx, flows, readOnly); err != nil {
		out <- prometheus.NewInvalidMetric(objects, err)
		return
	}
	daemons := &v1alpha1.DaemonJobList{}
	if err := (*reader).List(ctx, daemons, readOnly); err != nil {
		out <- prometheus.NewInvalidMetric(objects, err)
		return
	}
	counts := map[string]map[v1alpha1.State]int{JobFlow: {}, DaemonJob: {}}
	for i := range flows.Items {
		counts[JobFlow][stateOf(&flows.Items[i].Status.Summary)]++
	}
	for i := range daemons.Items {
		counts[DaemonJob][stateOf(&daemons.Items[i].Status.Summary)]++
	}
	for kind, byState := range counts {
		for _, state := range states {
			out <- prometheus.MustNewConstMetric(objects, prometheus.GaugeValue, float64(byState[state]), kind, string(state))
		}
	}
}

// stateOf counts what no controller has looked at yet as pending.
func stateOf(s *v1alpha1.Summary) v1alpha1.State {
	if s.State == "" {
		return v1alpha1.StatePending
	}
	return s.State
}
