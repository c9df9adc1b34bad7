package main

import (
	"context"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/operator"
)

// sample is one look at the operator.
type sample struct {
	at         time.Duration // since the load began
	begun      int           // scenarios
	ended      int
	rss, peak  int // resident memory, in KiB
	heapInUse  float64
	heapAlloc  float64
	goroutines float64
	reconciles float64
	errors     float64
	panics     float64
	queued     float64
	gcs        float64
}

// readSample reads the metrics and /proc.
func readSample(ctx context.Context, o *operator.Process) (sample, error) {
	metrics, err := o.Scrape(ctx, "")
	if err != nil {
		return sample{}, err
	}
	s := sample{
		heapInUse:  metrics.Sum("go_memstats_heap_inuse_bytes", nil),
		heapAlloc:  metrics.Sum("go_memstats_heap_alloc_bytes", nil),
		goroutines: metrics.Sum("go_goroutines", nil),
		reconciles: metrics.Sum("controller_runtime_reconcile_total", nil),
		errors:     metrics.Sum("controller_runtime_reconcile_errors_total", nil),
		panics:     metrics.Sum("controller_runtime_reconcile_panics_total", nil),
		queued:     metrics.Sum("workqueue_depth", nil),
		gcs:        metrics.Sum("go_gc_duration_seconds", nil),
	}
	s.rss, s.peak, err = o.Memory()
	return s, err
}
