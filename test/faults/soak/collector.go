package main

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	ctrlhandler "sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// byOwner indexes Jobs and pods by the UID of their controller.
const byOwner = "soak.owner"

// collector stands in for the garbage collector, for one kind of children.
type collector struct {
	client client.Client
	live   client.Reader
	child  func() client.Object
}

// setupCollectors starts one for the Jobs of parents and one for the pods of Jobs.
func setupCollectors(ctx context.Context, mgr ctrl.Manager) error {
	jobs := &collector{mgr.GetClient(), mgr.GetAPIReader(), func() client.Object { return &batchv1.Job{} }}
	if err := jobs.setup(ctx, mgr, "collect-jobs", &batchv1.JobList{}, &v1alpha1.JobFlow{}, &v1alpha1.DaemonJob{}); err != nil {
		return err
	}
	pods := &collector{mgr.GetClient(), mgr.GetAPIReader(), func() client.Object { return &corev1.Pod{} }}
	return pods.setup(ctx, mgr, "collect-pods", &corev1.PodList{}, &batchv1.Job{})
}

func (c *collector) setup(ctx context.Context, mgr ctrl.Manager, name string, list client.ObjectList, owners ...client.Object) error {
	index := func(object client.Object) []string {
		if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
			return []string{string(owner.UID)}
		}
		return nil
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, c.child(), byOwner, index); err != nil {
		return err
	}
	built := ctrl.NewControllerManagedBy(mgr).Named(name).For(c.child(), builder.WithPredicates(comings())).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4})
	for _, owner := range owners {
		built.Watches(owner, c.childrenOf(list), builder.WithPredicates(goings()))
	}
	return built.Complete(quiet{c})
}

// comings: a child may be created after its owner has gone.
func comings() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

func goings() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(event.UpdateEvent) bool { return false },
	}
}

func (c *collector) childrenOf(kind client.ObjectList) ctrlhandler.EventHandler {
	return ctrlhandler.EnqueueRequestsFromMapFunc(func(ctx context.Context, owner client.Object) []reconcile.Request {
		list := kind.DeepCopyObject().(client.ObjectList)
		if err := c.client.List(ctx, list, client.MatchingFields{byOwner: string(owner.GetUID())}); err != nil {
			panic(err) // the index is there
		}
		var requests []reconcile.Request
		add := func(object client.Object) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
		}
		switch list := list.(type) {
		case *batchv1.JobList:
			for i := range list.Items {
				add(&list.Items[i])
			}
		case *corev1.PodList:
			for i := range list.Items {
				add(&list.Items[i])
			}
		}
		return requests
	})
}

// Reconcile deletes a child whose owner is gone.
func (c *collector) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	child := c.child()
	if err := c.client.Get(ctx, request.NamespacedName, child); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	owner := metav1.GetControllerOfNoCopy(child)
	if owner == nil {
		return ctrl.Result{}, nil
	}
	// The caches of two kinds need not be equally new, so what decides is a live read.
	for _, reader := range []client.Reader{c.client, c.live} {
		there, err := exists(ctx, reader, child.GetNamespace(), owner)
		if there || err != nil {
			return ctrl.Result{}, err
		}
	}
	if len(child.GetFinalizers()) > 0 {
		err := c.client.Patch(ctx, child, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
		if err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
	}
	return ctrl.Result{}, client.IgnoreNotFound(remove(ctx, c.client, child))
}

func exists(ctx context.Context, reader client.Reader, namespace string, owner *metav1.OwnerReference) (bool, error) {
	var object client.Object
	switch owner.Kind {
	case "JobFlow":
		object = &v1alpha1.JobFlow{}
	case "DaemonJob":
		object = &v1alpha1.DaemonJob{}
	case "Job":
		object = &batchv1.Job{}
	default:
		return false, fmt.Errorf("a %s owns something", owner.Kind)
	}
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: owner.Name}, object)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && object.GetUID() == owner.UID, err
}

// quiet takes the conflicts of a stand-in for what they are: the next event is on its
// way.
type quiet struct{ reconcile.Reconciler }

// Reconcile implements reconcile.Reconciler.
func (q quiet) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	result, err := q.Reconciler.Reconcile(ctx, request)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	return result, err
}
