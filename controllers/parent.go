package controllers

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/childcache"
	"github.com/jobflow-operator/jobflow-operator/controllers/children"
	"github.com/jobflow-operator/jobflow-operator/controllers/memory"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// parentReconciler reconciles JobFlows, or DaemonJobs.
type parentReconciler struct {
	kind     parentKind
	client   client.Client
	cache    *childcache.Cache
	memory   *memory.Memory
	children *children.Children
	statuses *statuses
	now      func() time.Time
}

// parentKind is what the controllers of JobFlows and DaemonJobs differ in.
type parentKind interface {
	name() string
	// watch adds the other objects whose changes cause a reconcile of these parents.
	watch(controller *builder.Builder) *builder.Builder
	// validate checks the spec of a parent that has not ended. changed means that it may
	// differ from the one that was checked last.
	validate(parent v1alpha1.Parent, changed bool) field.ErrorList
	// observe adds what a plan needs to know besides the Jobs.
	observe(ctx context.Context, parent v1alpha1.Parent, own plan.Observed) (pass, error)
}

// pass is one reconcile of a parent, from what was observed.
type pass interface {
	plan(now time.Time) plan.Plan
	// status is computed after the plan was applied.
	status(p *plan.Plan, now time.Time) v1alpha1.ParentStatus
}

// setup adds a controller that reconciles a parent when it, one of its Jobs, or a pod of
// one of its Jobs changes.
//
// The parent's own status writes come back too. That is on purpose: a reconcile
// that found the cache behind the last write relies on that write's event.
func (r *parentReconciler) setup(mgr ctrl.Manager, options controller.Options) error {
	if err := r.statuses.setup(mgr); err != nil {
		return err
	}
	return r.kind.watch(ctrl.NewControllerManagedBy(mgr).
		For(v1alpha1.NewParent(r.kind.name())).
		WatchesRawSource(r.cache.Events(r.kind.name(), r.memory.Expected)).
		WatchesRawSource(r.statuses).
		WithOptions(options).
		WithLogConstructor(loggersFor(mgr, r.kind.name()))).
		Complete(countErrors{r, r.kind.name()})
}

// Reconcile brings one parent a step further: observe, plan, apply, report.
func (r *parentReconciler) Reconcile(ctx context.Context, req ctrl.Request) (result ctrl.Result, err error) {
	key := memory.Key{Kind: r.kind.name(), NamespacedName: req.NamespacedName}
	defer func() {
		if err != nil {
			r.memory.ResetCooldown(key) // the backoff decides when to reconcile again
			requeueAfterError(r.statuses.queue, req, &result)
		}
	}()
	began, now := time.Now(), r.now()
	if wait := r.memory.Cooldown(key, began); wait > 0 {
		return newResult(ctx, requeue{wait, "a large object is reconciled less often"})
	}
	parent, unrecorded, err := r.get(ctx, key)
	if parent == nil || err != nil {
		return ctrl.Result{}, err
	}
	if parent.GetDeletionTimestamp() != nil {
		// The garbage collector deletes the Jobs, and their pods with them.
		due, err := r.report(ctx, parent, status.Terminating(parent, now), now)
		return newResult(ctx, due, err)
	}
	if errs := r.validate(parent); len(errs) > 0 {
		due, err := r.report(ctx, parent, status.Invalid(parent, errs, now), now)
		return newResult(ctx, due, err)
	}

	own, err := r.children.Observe(ctx, parent, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	own.Unrecorded = unrecorded
	pass, err := r.kind.observe(ctx, parent, own)
	if err != nil {
		return ctrl.Result{}, err
	}
	p := pass.plan(now)
	r.memory.Reconciled(parent, began, time.Now())
	if p.DeleteParent {
		return newResult(ctx, requeue{}, deleteExpired(ctx, r.client, parent))
	}
	due := requeue{p.RequeueAfter, "a deadline or TTL"}
	applied := r.children.Apply(ctx, parent, &p, now)
	due = due.earlier(requeue{p.RequeueAfter, "a Job that could not be created is retried"})
	write, reported := r.report(ctx, parent, pass.status(&p, now), now)
	due = due.earlier(write)
	if !p.Ended && r.memory.AwaitsJobs(parent) {
		due = due.earlier(requeue{memory.TrustCreated, "the cache does not show a Job that was created"})
	}
	return newResult(ctx, due, applied, reported)
}

// report logs what is new in a status, and writes it if it is due.
func (r *parentReconciler) report(ctx context.Context, parent v1alpha1.Parent, next v1alpha1.ParentStatus, now time.Time) (write requeue, err error) {
	logChanges(ctrl.LoggerFrom(ctx), parent, next)
	wait, err := r.statuses.report(ctx, parent, next, now)
	return requeue{wait, "a status is due to be written"}, err
}

// get returns the parent with the newest status there is, or nil if there is nothing to do
// now. unrecorded means that this status is not written yet.
func (r *parentReconciler) get(ctx context.Context, key memory.Key) (_ v1alpha1.Parent, unrecorded bool, err error) {
	parent := v1alpha1.NewParent(r.kind.name())
	if err := r.client.Get(ctx, key.NamespacedName, parent, readOnly); err != nil {
		if apierrors.IsNotFound(err) {
			r.memory.Forget(key)
			r.statuses.forget(key.NamespacedName)
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("reading %s: %w", r.kind.name(), err)
	}
	// A parent that has ended has everything recorded, however old it is.
	if plan.Ended(parent) {
		r.memory.Forget(key)
		r.statuses.ended(parent)
		return parent, false, nil
	}
	if parent, err = r.memory.EnsureCurrent(ctx, parent); parent == nil || err != nil {
		return nil, false, err
	}
	if there, err := r.statuses.ensure(ctx, parent); !there || err != nil {
		return nil, false, err
	}
	unrecorded, err = r.statuses.refresh(parent)
	return parent, unrecorded, err
}

// validate checks the spec of a parent. One that has ended stays as it ended. A generation
// is validated once, and again only if it was invalid.
func (r *parentReconciler) validate(parent v1alpha1.Parent) field.ErrorList {
	if plan.Ended(parent) {
		return nil
	}
	s := parent.GetSummary()
	changed := s.ObservedGeneration != parent.GetGeneration() || meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionFailed)
	return r.kind.validate(parent, changed)
}

// deleteExpired deletes an object whose ttlSecondsAfterFinished has passed, as it
// was read: not one whose TTL has been changed since.
func deleteExpired(ctx context.Context, c client.Client, object client.Object) error {
	uid, version := object.GetUID(), object.GetResourceVersion()
	err := c.Delete(ctx, object,
		client.PropagationPolicy(metav1.DeletePropagationBackground),
		client.Preconditions{UID: &uid, ResourceVersion: &version})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting after ttlSecondsAfterFinished: %w", err)
	}
	return nil
}
