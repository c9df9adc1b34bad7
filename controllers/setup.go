// Package controllers meets the API server: it observes, lets internal/plan
// decide, applies the plan and reports. Only child_jobs.go creates, changes and
// deletes Jobs, only report.go and statuses.go write status and events, and only
// upgradeable.go writes the OperatorCondition.
package controllers

import (
	"context"
	"errors"
	"time"

	"github.com/operator-framework/operator-lib/conditions"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/controllers/childcache"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
)

// Options are the settings that all controllers share.
type Options struct {
	// Workers is how many objects of each kind are reconciled at the same time.
	Workers int
	// Namespace is the one whose Jobs and pods are watched; empty for all. The
	// manager's cache has to be limited to the same.
	Namespace string
	// Upgradeable is the condition that OLM reads; nil without OLM.
	Upgradeable conditions.Condition
	// HoldUpgrades has OLM wait with upgrades while something runs.
	HoldUpgrades bool
	// Now is the clock; nil for the machine's.
	Now func() time.Time
	// NewQueue makes the queue of each controller; nil for that of controller-runtime.
	// Tests use it to see what an operator in their own process still has to do.
	NewQueue func(controller string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Setup adds the controllers and their indexes to the manager.
func Setup(mgr ctrl.Manager, options Options) error {
	if options.Now == nil {
		options.Now = time.Now
	}
	if err := addIndexes(mgr); err != nil {
		return err
	}
	metrics.CountObjects(mgr.GetClient(), options.Now)
	cache, err := childcache.New(mgr, options.Namespace)
	if err != nil {
		return err
	}
	children := newChildJobs(cache, mgr.GetClient(), mgr.GetAPIReader())
	events := mgr.GetEventRecorder("jobflow-operator")

	flows := newParentReconciler(mgr, jobFlows{mgr.GetClient(), newGraphs()}, cache, children, events, options)
	daemons := newParentReconciler(mgr, daemonJobs{mgr.GetClient(), mgr.GetAPIReader()}, cache, children, events, options)
	if err := flows.setup(mgr, options.ofController()); err != nil {
		return err
	}
	if err := daemons.setup(mgr, options.ofController()); err != nil {
		return err
	}
	// As soon as this process leads, so that the first objects need not wait for it. Who
	// cannot be asked now is asked again by the first reconcile.
	asked := manager.RunnableFunc(func(ctx context.Context) error {
		_, flowsErr := flows.fresh.raiseFence(ctx)
		_, daemonsErr := daemons.fresh.raiseFence(ctx)
		if err := errors.Join(flowsErr, daemonsErr); err != nil {
			ctrl.Log.Info("The newest resource versions are not known yet", "reason", err.Error())
		}
		return nil
	})
	if err := mgr.Add(asked); err != nil {
		return err
	}
	if err := (&jobTemplateReconciler{client: mgr.GetClient()}).setup(mgr, options.ofController()); err != nil {
		return err
	}
	if options.Upgradeable == nil {
		return nil
	}
	return (&upgradeableReconciler{client: mgr.GetClient(), condition: options.Upgradeable, hold: options.HoldUpgrades}).
		setup(mgr, options.ofController())
}

// ofController are the options of one controller. Each has a rate limiter of its
// own, since objects of two kinds may have the same name.
func (o Options) ofController() controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: o.Workers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstBackoff, longestBackoff),
		NewQueue:                o.NewQueue,
	}
}

// counted counts the errors of a reconciler. What ends because the operator does is
// none.
type counted struct {
	reconcile.Reconciler
	kind string
}

// Reconcile implements reconcile.Reconciler.
func (c counted) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	result, err := c.Reconciler.Reconcile(ctx, request)
	if err != nil && ctx.Err() == nil {
		metrics.ReconcileFailed(c.kind, err)
	}
	return result, err
}

const (
	// conflictRetryAfter gives the watch the moment it needs to bring the version
	// that a write conflicted with.
	conflictRetryAfter = 100 * time.Millisecond

	firstBackoff = 5 * time.Millisecond
	// longestBackoff is how late an object may come back after an error that lasted.
	// The default, a quarter of an hour, would also hold up its deadline, of which nothing
	// is known if it cannot even be read.
	longestBackoff = time.Minute
)
