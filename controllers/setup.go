// Package controllers reconciles JobFlows and DaemonJobs: it observes, lets internal/plan
// decide, applies the plan and reports.
//
//	parent.go      Reconcile, for both kinds
//	jobflow.go     what is particular to JobFlows: templates and the graph
//	daemonjob.go   what is particular to DaemonJobs: nodes
//	jobtemplate.go the status of JobTemplates
//	statuses.go    when the status of a JobFlow or DaemonJob is written
//	result.go      when a reconcile is due without an event
//	logging.go     what is logged about work
//	watches.go     which events cause a reconcile
//
// Only children/apply.go creates, changes and deletes Jobs. Only report.go writes status, for
// statuses.go and jobtemplate.go. Only upgradeable.go writes OLM's OperatorCondition. parent.go
// deletes objects whose TTL has passed.
package controllers

import (
	"context"
	"time"

	"github.com/operator-framework/operator-lib/conditions"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/childcache"
	"github.com/jobflow-operator/jobflow-operator/controllers/children"
	"github.com/jobflow-operator/jobflow-operator/controllers/memory"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
)

// Options are the settings that all controllers share.
type Options struct {
	// Workers is how many objects of each kind are reconciled at the same time.
	Workers int
	// Namespace limits which Jobs and pods are watched; empty for all namespaces. The
	// manager's cache must have the same limit.
	Namespace string
	// Upgradeable is the condition that OLM reads; nil without OLM.
	Upgradeable conditions.Condition
	// HoldUpgrades has OLM wait with upgrades while something runs.
	HoldUpgrades bool
	// Now is the clock; nil for the machine's.
	Now func() time.Time
	// NewQueue makes the queue of each controller; nil for that of controller-runtime. Tests
	// use it to see what an operator in their own process still has to do.
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
	memory := memory.New(mgr.GetAPIReader())
	children := children.New(cache, mgr.GetClient(), mgr.GetAPIReader(), memory)
	events := mgr.GetEventRecorder("jobflow-operator")
	for _, kind := range []parentKind{
		jobFlows{mgr.GetClient(), memory},
		daemonJobs{mgr.GetClient(), mgr.GetAPIReader()},
	} {
		r := &parentReconciler{
			kind: kind, client: mgr.GetClient(), cache: cache, memory: memory, children: children,
			statuses: newStatuses(kind.name(), mgr.GetClient(), mgr.GetAPIReader(), events, options.Workers),
			now:      options.Now,
		}
		if err := r.setup(mgr, options.controllerOptions()); err != nil {
			return err
		}
	}
	if err := mgr.Add(raiseBarriers(memory)); err != nil {
		return err
	}
	if err := (&jobTemplateReconciler{client: mgr.GetClient()}).setup(mgr, options.controllerOptions()); err != nil {
		return err
	}
	if options.Upgradeable == nil {
		return nil
	}
	return (&upgradeableReconciler{client: mgr.GetClient(), condition: options.Upgradeable, hold: options.HoldUpgrades}).
		setup(mgr, options.controllerOptions())
}

// raiseBarriers asks for the barriers as soon as this process leads, so that the first
// reconciles do not have to. If that fails, they ask again.
func raiseBarriers(memory *memory.Memory) manager.Runnable {
	return manager.RunnableFunc(func(ctx context.Context) error {
		for _, kind := range v1alpha1.ParentKinds {
			if _, err := memory.RaiseBarrier(ctx, kind); err != nil {
				ctrl.Log.Info("The newest resource version is not known yet", "kind", kind, "reason", err.Error())
			}
		}
		return nil
	})
}

// controllerOptions returns the options of one controller. Each has a rate limiter of its
// own, since objects of two kinds may have the same name.
func (o Options) controllerOptions() controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: o.Workers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstBackoff, longestBackoff),
		NewQueue:                o.NewQueue,
	}
}

// countErrors counts the errors of a reconciler, without those of reconciles that end because
// the operator does.
type countErrors struct {
	reconcile.Reconciler
	kind string
}

// Reconcile implements reconcile.Reconciler.
func (c countErrors) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	result, err := c.Reconciler.Reconcile(ctx, request)
	if err != nil && ctx.Err() == nil {
		metrics.ReconcileFailed(c.kind, err)
	}
	return result, err
}
