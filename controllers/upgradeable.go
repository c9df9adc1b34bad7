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

// No permission for OperatorConditions is asked for: OLM grants get, update and patch
// of the one that it makes.

// upgradeableDelay is how long starts and ends are gathered for one write. Each write
// makes OLM look at the operator.
const upgradeableDelay = time.Second

// upgradeableReconciler keeps the condition Upgradeable of the OperatorCondition by
// which OLM knows whether it may replace this version.
type upgradeableReconciler struct {
	client    client.Client
	condition conditions.Condition
	hold      bool
}

// UpgradeableCondition is where OLM looks, or nil without OLM.
func UpgradeableCondition(mgr ctrl.Manager) (conditions.Condition, error) {
	if os.Getenv("OPERATOR_CONDITION_NAME") == "" {
		return nil, nil
	}
	scheme := runtime.NewScheme()
	if err := operatorsv2.AddToScheme(scheme); err != nil {
		return nil, err
	}
	// Not the manager's client: its cache would list and watch, which OLM does not
	// grant.
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: scheme, HTTPClient: mgr.GetHTTPClient(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("making a client for the OperatorCondition: %w", err)
	}
	return conditions.InClusterFactory{Client: direct}.NewCondition(operatorsv2.ConditionType(operatorsv2.Upgradeable))
}

// setup has one request for everything, since there is one condition. Without hold,
// nothing that happens changes it after the start.
func (r *upgradeableReconciler) setup(mgr ctrl.Manager, options controller.Options) error {
	options.MaxConcurrentReconciles = 1
	atStart := source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		queue.Add(reconcile.Request{})
		return nil
	})
	b := ctrl.NewControllerManagedBy(mgr).Named("upgradeable").WatchesRawSource(atStart).WithOptions(options)
	if r.hold {
		b = b.Watches(&v1alpha1.JobFlow{}, soon(), builder.WithPredicates(inFlightChanged())).
			Watches(&v1alpha1.DaemonJob{}, soon(), builder.WithPredicates(inFlightChanged()))
	}
	return b.Complete(r)
}

// Reconcile writes the condition if it is another than the one that is there.
func (r *upgradeableReconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	var flows, daemonJobs int
	if r.hold {
		var err error
		if flows, daemonJobs, err = r.inFlight(ctx); err != nil {
			return ctrl.Result{}, err
		}
	}
	want := status.Upgradeable(r.hold, flows, daemonJobs)
	// Get fails where the condition was never set, too. Set reads for itself and says
	// what else is wrong.
	current, err := r.condition.Get(ctx)
	if err == nil && current.Status == want.Status && current.Reason == want.Reason && current.Message == want.Message {
		return ctrl.Result{}, nil
	}
	if err := r.condition.Set(ctx, want.Status, conditions.WithReason(want.Reason), conditions.WithMessage(want.Message)); err != nil {
		return settle(ctrl.Result{}, fmt.Errorf("writing the OperatorCondition: %w", err))
	}
	ctrl.LoggerFrom(ctx).Info("Told OLM whether it may upgrade", "upgradeable", want.Status, "reason", want.Reason, "message", want.Message)
	return ctrl.Result{}, nil
}

func (r *upgradeableReconciler) inFlight(ctx context.Context) (flows, daemonJobs int, err error) {
	flowList := &v1alpha1.JobFlowList{}
	if err := r.client.List(ctx, flowList, readOnly); err != nil {
		return 0, 0, fmt.Errorf("listing JobFlows: %w", err)
	}
	for i := range flowList.Items {
		if status.InFlight(&flowList.Items[i].Status.Summary) {
			flows++
		}
	}
	daemonList := &v1alpha1.DaemonJobList{}
	if err := r.client.List(ctx, daemonList, readOnly); err != nil {
		return 0, 0, fmt.Errorf("listing DaemonJobs: %w", err)
	}
	for i := range daemonList.Items {
		if status.InFlight(&daemonList.Items[i].Status.Summary) {
			daemonJobs++
		}
	}
	return flows, daemonJobs, nil
}

func soon() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.Funcs{
		CreateFunc: func(_ context.Context, _ event.CreateEvent, q queue) {
			q.AddAfter(reconcile.Request{}, upgradeableDelay)
		},
		UpdateFunc: func(_ context.Context, _ event.UpdateEvent, q queue) {
			q.AddAfter(reconcile.Request{}, upgradeableDelay)
		},
		DeleteFunc: func(_ context.Context, _ event.DeleteEvent, q queue) {
			q.AddAfter(reconcile.Request{}, upgradeableDelay)
		},
	}
}

// inFlightChanged passes over everything but the starts and ends that are counted.
func inFlightChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return inFlight(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool { return inFlight(e.ObjectOld) != inFlight(e.ObjectNew) },
		DeleteFunc: func(e event.DeleteEvent) bool { return inFlight(e.Object) },
	}
}

func inFlight(object client.Object) bool {
	switch parent := object.(type) {
	case *v1alpha1.JobFlow:
		return status.InFlight(&parent.Status.Summary)
	case *v1alpha1.DaemonJob:
		return status.InFlight(&parent.Status.Summary)
	default:
		return false
	}
}
