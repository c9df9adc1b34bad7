// Package metrics holds the operator's own metrics, registered once with
// controller-runtime's registry. Labels are bounded: kinds, states, results and
// reasons, never names.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// durationBuckets fit steps that take seconds and steps that take days.
var durationBuckets = []float64{1, 5, 15, 60, 5 * 60, 15 * 60, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600}

var (
	runsStarted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jobflow_runs_started_total",
		Help: "Jobs created for steps of JobFlows and nodes of DaemonJobs.",
	}, []string{"kind"})

	runsFinished = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jobflow_runs_finished_total",
		Help: "Steps of JobFlows and nodes of DaemonJobs that ended, by result: Succeeded or Failed.",
	}, []string{"kind", "result"})

	runDuration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "jobflow_run_duration_seconds",
		Help:    "Time from the creation of the Job of a step or node to its end.",
		Buckets: durationBuckets,
	}, []string{"kind", "result"})

	startDelay = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "jobflow_step_start_delay_seconds",
		Help:    "Time from the end of a step's last dependency, which its Job gives in whole seconds, to the creation of the step's Job.",
		Buckets: []float64{0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600},
	})

	finished = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jobflow_finished_total",
		Help: "JobFlows and DaemonJobs that have ended, by state: Succeed or Failed.",
	}, []string{"kind", "state"})

	duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "jobflow_duration_seconds",
		Help:    "Time from the start of a JobFlow or DaemonJob to its end.",
		Buckets: durationBuckets,
	}, []string{"kind", "state"})

	reconcileErrors = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jobflow_reconcile_errors_total",
		Help: "Reconciles that ended in an error and are retried, by the answer of the API server.",
	}, []string{"kind", "reason"})

	buildInfo = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "jobflow_build_info",
		Help: "1, with the version of the operator. Every replica serves it.",
	}, []string{"version"})
)

var collectors = []prometheus.Collector{
	runsStarted, runsFinished, runDuration, startDelay, finished, duration, reconcileErrors, buildInfo, objectCollector{},
}

// errorReasons are the values of the label reason of reconcile errors. Any other answer,
// and no answer, counts as unknown.
var errorReasons = []string{
	string(metav1.StatusReasonForbidden),
	string(metav1.StatusReasonUnauthorized),
	string(metav1.StatusReasonInvalid),
	string(metav1.StatusReasonTooManyRequests),
	string(metav1.StatusReasonTimeout),
	string(metav1.StatusReasonServerTimeout),
	string(metav1.StatusReasonServiceUnavailable),
	string(metav1.StatusReasonInternalError),
	unknown,
}

func init() {
	metrics.Registry.MustRegister(collectors...)
	// The latency of the API server.
	metrics.RegisterRESTClientMetrics(metrics.MetricRequestLatency)
	startAtZero()
}

// startAtZero creates every series. A series that began with the first failure would begin
// at 1, and increase() would miss that failure.
func startAtZero() {
	for _, kind := range v1alpha1.ParentKinds {
		runsStarted.WithLabelValues(kind)
		for _, result := range []v1alpha1.Phase{v1alpha1.PhaseSucceeded, v1alpha1.PhaseFailed} {
			runsFinished.WithLabelValues(kind, string(result))
			runDuration.WithLabelValues(kind, string(result))
		}
		for _, state := range []v1alpha1.State{v1alpha1.StateSucceed, v1alpha1.StateFailed} {
			finished.WithLabelValues(kind, string(state))
			duration.WithLabelValues(kind, string(state))
		}
	}
	for _, kind := range append([]string{v1alpha1.KindJobTemplate}, v1alpha1.ParentKinds...) {
		for _, reason := range errorReasons {
			reconcileErrors.WithLabelValues(kind, reason)
		}
	}
}

// Version sets the version of the operator.
func Version(version string) { buildInfo.WithLabelValues(version).Set(1) }

// ReconcileFailed counts a reconcile of a kind that ended in an error.
func ReconcileFailed(kind string, err error) {
	reconcileErrors.WithLabelValues(kind, limitTo(errorReasons, string(apierrors.ReasonForError(err)))).Inc()
}

// Transition counts what happened in a transition. It is called once for each status that
// was written.
func Transition(kind string, t *status.Transition) {
	for _, run := range t.Changed {
		if run.Created {
			runsStarted.WithLabelValues(kind).Inc()
		}
		if run.Ended && run.StartTime != nil && run.CompletionTime != nil {
			runDuration.WithLabelValues(kind, string(run.Phase)).Observe(run.CompletionTime.Sub(run.StartTime.Time).Seconds())
		}
	}
	previous, next := t.Previous, t.Next
	// These use the counts and not the list, because a DaemonJob of many nodes no longer
	// lists those that Succeeded.
	countResults(kind, v1alpha1.PhaseSucceeded, previous.Succeeded, next.Succeeded)
	countResults(kind, v1alpha1.PhaseFailed, previous.Failed, next.Failed)
	if next.CompletionTime != nil && previous.CompletionTime == nil {
		state := string(next.State)
		finished.WithLabelValues(kind, state).Inc()
		if next.StartTime != nil {
			duration.WithLabelValues(kind, state).Observe(next.CompletionTime.Sub(next.StartTime.Time).Seconds())
		}
	}
}

func countResults(kind string, result v1alpha1.Phase, before, now int32) {
	if now > before {
		runsFinished.WithLabelValues(kind, string(result)).Add(float64(now - before))
	}
}

// StepStarted observes the time from the end of a step's last dependency to the creation of
// its Job.
func StepStarted(delay time.Duration) {
	startDelay.Observe(max(delay, 0).Seconds())
}
