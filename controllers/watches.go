package controllers

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// watchJobsAndPods starts a controller for a kind of parent that looks at a parent
// when it, one of its Jobs, or a pod of one of its Jobs changes.
//
// The parent's own status writes come back too. That is on purpose: a reconcile
// that found the cache behind the last write relies on that write's event.
func watchJobsAndPods[P client.Object](mgr ctrl.Manager, options controller.Options, parent P, children *childJobs) *builder.Builder {
	return ctrl.NewControllerManagedBy(mgr).
		For(parent).
		WatchesRawSource(&childEvents{cache: children.cache, recent: &children.recent, kind: kindOf(parent)}).
		WithOptions(options)
}

func kindOf(parent client.Object) string {
	switch parent.(type) {
	case *v1alpha1.JobFlow:
		return "JobFlow"
	default:
		return "DaemonJob"
	}
}

// flowsUsing finds the JobFlows whose steps refer to a JobTemplate and that have
// not ended.
func flowsUsing(cached client.Reader) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, template client.Object) []reconcile.Request {
		flows := &v1alpha1.JobFlowList{}
		if err := cached.List(ctx, flows, client.InNamespace(template.GetNamespace()),
			client.MatchingFields{byJobTemplate: template.GetName()}, readOnly); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "listing the JobFlows of a JobTemplate", "jobTemplate", template.GetName())
			return nil
		}
		var requests []reconcile.Request
		for i := range flows.Items {
			if !plan.Ended(&flows.Items[i].Status.Summary) {
				requests = append(requests, request(flows.Items[i].Namespace, flows.Items[i].Name))
			}
		}
		return requests
	})
}

// openDaemonJobs are the DaemonJobs that a change of a node may concern: all that
// have not ended.
func openDaemonJobs(cached client.Reader) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
		list := &v1alpha1.DaemonJobList{}
		if err := cached.List(ctx, list, readOnly); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "listing the DaemonJobs for a node")
			return nil
		}
		var requests []reconcile.Request
		for i := range list.Items {
			if !plan.Ended(&list.Items[i].Status.Summary) {
				requests = append(requests, request(list.Items[i].Namespace, list.Items[i].Name))
			}
		}
		return requests
	})
}

// templatesOfFlow are the JobTemplates that a JobFlow's steps refer to.
func templatesOfFlow() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, flow client.Object) []reconcile.Request {
		var requests []reconcile.Request
		for _, name := range jobTemplateRefs(flow) {
			requests = append(requests, request(flow.GetNamespace(), name))
		}
		return requests
	})
}

func request(namespace, name string) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: name}}
}

// nodePlacementChanged passes over what the heartbeats of nodes change.
func nodePlacementChanged() builder.WatchesOption {
	return builder.WithPredicates(predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*corev1.Node), e.ObjectNew.(*corev1.Node)
		return !equality.Semantic.DeepEqual(before.Spec, after.Spec) ||
			!equality.Semantic.DeepEqual(before.Labels, after.Labels) ||
			before.UID != after.UID
	}})
}

// cameOrWent is for what never changes while it exists. An update can be from one
// object to another of the same name, where the watch was interrupted.
func cameOrWent() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetUID() != e.ObjectNew.GetUID()
	}}
}

// specChanged passes over our own writes of a JobTemplate's status: one for each
// JobFlow that comes or goes, and each would wake all others that use it.
func specChanged() predicate.Predicate {
	return predicate.Or[client.Object](cameOrWent(), predicate.GenerationChangedPredicate{})
}

// settle turns what a reconcile came to into its result. A conflict is no error:
// the version that it lost against is on its way.
func settle(result ctrl.Result, errs ...error) (ctrl.Result, error) {
	var failures []error
	for _, err := range errs {
		for _, err := range parts(err) {
			if !apierrors.IsConflict(err) {
				failures = append(failures, err)
			} else if result.RequeueAfter == 0 || result.RequeueAfter > conflictRetryAfter {
				result.RequeueAfter = conflictRetryAfter
			}
		}
	}
	return result, errors.Join(failures...)
}

// dueDespite is for a reconcile that failed, of which controller-runtime takes nothing
// but the error. Its backoff may be a minute: what is due before that, the status of
// other Jobs or a deadline, is due all the same.
func dueDespite(queue workqueue.TypedRateLimitingInterface[reconcile.Request], req ctrl.Request, result *ctrl.Result) {
	if result.RequeueAfter > 0 {
		queue.AddAfter(req, result.RequeueAfter)
	}
	*result = ctrl.Result{}
}

// parts are the errors that were joined: a conflict among them must not hide the
// others.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var all []error
	for _, part := range joined.Unwrap() {
		all = append(all, parts(part)...)
	}
	return all
}
