package controllers

import (
	"context"
	"fmt"
	"os"
	"time"

	operatorsv2 "github.com/operator-framework/api/pkg/operators/v2"
	"github.com/operator-framework/operator-lib/conditions"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// There is no marker with permissions for OperatorConditions: OLM grants get, update and patch
// of the one that it makes.

// upgradeableDelay is how long starts and ends are collected for one write. Each write
// makes OLM reconcile the operator.
const upgradeableDelay = time.Second

// upgradeableReconciler keeps the condition Upgradeable of the OperatorCondition, by which OLM
// decides whether it may replace this version.
type upgradeableReconciler struct {
	client    client.Client
	condition conditions.Condition
	hold      bool
}

// UpgradeableCondition returns the condition that OLM reads, or nil without OLM.
func UpgradeableCondition(mgr ctrl.Manager) (conditions.Condition, error) {
	if os.Getenv("OPERATOR_CONDITION_NAME") == "" {
		return nil, nil
	}
	scheme := runtime.NewScheme()
	if err := operatorsv2.AddToScheme(scheme); err != nil {
		return nil, err
	}
	// The manager's client would list and watch for its cache, which OLM does not grant.
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: scheme, HTTPClient: mgr.GetHTTPClient(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("making a client for the OperatorCondition: %w", err)
	}
	return conditions.InClusterFactory{Client: direct}.NewCondition(operatorsv2.ConditionType(operatorsv2.Upgradeable))
}

// setup adds a controller with a single request, since there is one condition. Without hold,
// the condition does not change after the start.
func (r *upgradeableReconciler) setup(mgr ctrl.Manager, options controller.Options) error {
	options.MaxConcurrentReconciles = 1
	atStart := source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		queue.Add(reconcile.Request{})
		return nil
	})
	b := ctrl.NewControllerManagedBy(mgr).Named("upgradeable").WatchesRawSource(atStart).WithOptions(options)
	soon := handler.Funcs{
		CreateFunc: requeueSoon[event.CreateEvent], UpdateFunc: requeueSoon[event.UpdateEvent], DeleteFunc: requeueSoon[event.DeleteEvent],
	}
	if r.hold {
		for _, kind := range v1alpha1.ParentKinds {
			b = b.Watches(v1alpha1.NewParent(kind), soon, builder.WithPredicates(inFlightChanged()))
		}
	}
	return b.Complete(r)
}

// Reconcile writes the condition if it differs from the one that is stored.
func (r *upgradeableReconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	inFlight := map[string]int{}
	if r.hold {
		for _, kind := range v1alpha1.ParentKinds {
			err := eachParent(ctx, r.client, kind, func(parent v1alpha1.Parent) {
				if status.InFlight(parent.GetSummary()) {
					inFlight[kind]++
				}
			})
			if err != nil {
				return ctrl.Result{}, err
			}
		}
	}
	want := status.Upgradeable(r.hold, inFlight[v1alpha1.KindJobFlow], inFlight[v1alpha1.KindDaemonJob])
	// Get also fails if the condition was never set. Set reads the object itself and returns any
	// other error.
	current, err := r.condition.Get(ctx)
	if err == nil && current.Status == want.Status && current.Reason == want.Reason && current.Message == want.Message {
		return ctrl.Result{}, nil
	}
	if err := r.condition.Set(ctx, want.Status, conditions.WithReason(want.Reason), conditions.WithMessage(want.Message)); err != nil {
		return newResult(ctx, requeue{}, fmt.Errorf("writing the OperatorCondition: %w", err))
	}
	ctrl.LoggerFrom(ctx).Info("Wrote the condition Upgradeable for OLM", "upgradeable", want.Status, "reason", want.Reason, "message", want.Message)
	return ctrl.Result{}, nil
}

// requeueSoon causes a reconcile after upgradeableDelay, whatever the event.
func requeueSoon[E any](_ context.Context, _ E, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	queue.AddAfter(reconcile.Request{}, upgradeableDelay)
}

// inFlightChanged ignores everything except the starts and ends that are counted.
func inFlightChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return inFlight(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool { return inFlight(e.ObjectOld) != inFlight(e.ObjectNew) },
		DeleteFunc: func(e event.DeleteEvent) bool { return inFlight(e.Object) },
	}
}

func inFlight(object client.Object) bool {
	parent, ok := object.(v1alpha1.Parent)
	return ok && status.InFlight(parent.GetSummary())
}
