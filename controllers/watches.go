package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// flowsUsing selects the JobFlows whose steps refer to a JobTemplate.
func flowsUsing(template client.Object) []client.ListOption {
	return []client.ListOption{client.InNamespace(template.GetNamespace()), client.MatchingFields{byJobTemplate: template.GetName()}}
}

// selectAll selects every object.
func selectAll(client.Object) []client.ListOption { return nil }

// enqueueOpen enqueues the parents of a kind that have not ended, of those that are selected
// for the object that changed.
func enqueueOpen(cached client.Reader, kind string, selected func(changed client.Object) []client.ListOption) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, changed client.Object) []reconcile.Request {
		var requests []reconcile.Request
		err := eachParent(ctx, cached, kind, func(parent v1alpha1.Parent) {
			if !plan.Ended(parent) {
				requests = append(requests, request(parent.GetNamespace(), parent.GetName()))
			}
		}, selected(changed)...)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "A change was not passed on to the objects that it concerns", "changed", changed.GetName())
		}
		return requests
	})
}

// eachParent visits the parents of a kind that the cache has. They are read only.
func eachParent(ctx context.Context, cached client.Reader, kind string, visit func(v1alpha1.Parent), options ...client.ListOption) error {
	list := v1alpha1.NewParentList(kind)
	if err := cached.List(ctx, list, append(options, readOnly)...); err != nil {
		return fmt.Errorf("listing every %s: %w", kind, err)
	}
	return meta.EachListItem(list, func(object runtime.Object) error {
		visit(object.(v1alpha1.Parent))
		return nil
	})
}

// templatesUsed enqueues the JobTemplates that a JobFlow's steps refer to.
func templatesUsed() handler.EventHandler {
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

// nodePlacementChanged ignores what the heartbeats of nodes change.
func nodePlacementChanged() builder.WatchesOption {
	return builder.WithPredicates(predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*corev1.Node), e.ObjectNew.(*corev1.Node)
		return !equality.Semantic.DeepEqual(before.Spec, after.Spec) ||
			!equality.Semantic.DeepEqual(before.Labels, after.Labels) ||
			before.UID != after.UID
	}})
}

// createdOrDeleted ignores updates. An update from one object to another of the same name
// counts as a creation: the watch was interrupted.
func createdOrDeleted() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetUID() != e.ObjectNew.GetUID()
	}}
}

// specChanged ignores the operator's own writes of a JobTemplate's status: there is one for
// each JobFlow that is created or deleted, and it would cause a reconcile of all others that
// use the JobTemplate.
func specChanged() predicate.Predicate {
	return predicate.Or[client.Object](createdOrDeleted(), predicate.GenerationChangedPredicate{})
}
