package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/operator"
)

// startOperator returns when the operator's caches are full. ended is called should the
// operator end before it is stopped.
func (b *bench) startOperator(ctx context.Context, ended context.CancelCauseFunc) (*operator.Process, error) {
	log := filepath.Join(b.dir, "operator.log")
	o, err := operator.StartLogged(ctx, operator.Options{
		Program: b.manager, Kubeconfig: b.operatorKubeconfig, Args: []string{"--zap-log-level=error"},
	}, log, func(metrics operator.Metrics) bool {
		// The workers start once the caches are full, and this gauge with them. Then what is
		// there already is looked at.
		return metrics.Sum("controller_runtime_max_concurrent_reconciles", nil) > 0 &&
			metrics.Sum("workqueue_depth", nil) == 0 && metrics.Sum("controller_runtime_active_workers", nil) == 0
	})
	if err != nil {
		return nil, err
	}
	go func() {
		<-o.Ended()
		ended(fmt.Errorf("the operator ended; see %s", log))
	}()
	return o, nil
}

// cause is why a context ended, where that is why something failed.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// usage is what the operator has used since its start; memory is in MiB.
type usage struct{ cpu, rss, peak, reconciles float64 }

func usageOf(ctx context.Context, o *operator.Process) (u usage, err error) {
	if u.cpu, err = o.CPU(); err != nil {
		return u, err
	}
	now, peak, err := o.Memory()
	if err != nil {
		return u, err
	}
	u.rss, u.peak = float64(now)/1024, float64(peak)/1024
	metrics, err := o.Scrape(ctx, "")
	u.reconciles = metrics.Sum("controller_runtime_reconcile_total", nil)
	return u, err
}
