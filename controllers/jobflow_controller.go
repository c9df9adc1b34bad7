package controllers

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// +kubebuilder:rbac:groups=api.practice.com,resources=jobflows,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=api.practice.com,resources=jobflows/status,verbs=patch
// +kubebuilder:rbac:groups=api.practice.com,resources=jobflows/finalizers,verbs=update
// +kubebuilder:rbac:groups=api.practice.com,resources=jobtemplates,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

type jobFlowReconciler struct {
	client   client.Client
	children *childJobs
	fresh    *freshness[v1alpha1.JobFlow, *v1alpha1.JobFlow]
	statuses *statuses[v1alpha1.JobFlowStatus, v1alpha1.JobFlow, *v1alpha1.JobFlow]
	graphs   *graphs
	pace     *pace
	now      func() time.Time
}

func newJobFlowReconciler(mgr ctrl.Manager, children *childJobs, recorder events.EventRecorder, options Options) *jobFlowReconciler {
	return &jobFlowReconciler{
		client:   mgr.GetClient(),
		children: children,
		fresh:    newFreshness[v1alpha1.JobFlow](mgr.GetAPIReader(), &v1alpha1.JobFlowList{}),
		statuses: newStatuses(flowStatuses, mgr.GetClient(), recorder, options.Workers),
		graphs:   newGraphs(),
		pace:     newPace(),
		now:      options.Now,
	}
}

func (r *jobFlowReconciler) setup(mgr ctrl.Manager, options controller.Options) error {
	if err := r.statuses.setup(mgr); err != nil {
		return err
	}
	return watchJobsAndPods[*v1alpha1.JobFlow](mgr, options, &v1alpha1.JobFlow{}, r.children).
		WatchesRawSource(r.statuses).
		Watches(&v1alpha1.JobTemplate{}, flowsUsing(mgr.GetClient()), builder.WithPredicates(specChanged())).
		Complete(counted{r, metrics.JobFlow})
}

// Reconcile brings one JobFlow a step further: observe, plan, apply, report.
func (r *jobFlowReconciler) Reconcile(ctx context.Context, req ctrl.Request) (result ctrl.Result, err error) {
	defer func() {
		if err != nil {
			r.pace.forget(req.NamespacedName) // backoff says when to look again
			dueDespite(r.statuses.queue, req, &result)
		}
	}()
	began, now := time.Now(), r.now()
	if wait := r.pace.wait(req.NamespacedName, began); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	flow, unrecorded, err := r.get(ctx, req)
	if flow == nil || err != nil {
		return ctrl.Result{}, err
	}
	if flow.DeletionTimestamp != nil {
		// The garbage collector deletes the Jobs, and their pods with them.
		r.children.recent.forget(flow.UID)
		wait, err := r.statuses.report(ctx, flow, status.TerminatingFlow(flow, now), now)
		return settle(ctrl.Result{RequeueAfter: wait}, err)
	}
	steps, errs := r.validate(flow)
	if len(errs) > 0 {
		wait, err := r.statuses.report(ctx, flow, status.InvalidFlow(flow, errs, now), now)
		return settle(ctrl.Result{RequeueAfter: wait}, err)
	}

	seen, err := r.observe(ctx, flow, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	seen.Unrecorded = unrecorded
	p := plan.Flow(flow, steps, seen, now)
	r.pace.looked(req.NamespacedName, began, time.Now())
	if p.DeleteParent {
		return settle(ctrl.Result{}, deleteExpired(ctx, r.client, flow))
	}
	applied := r.children.apply(ctx, flow, &p, now)
	wait, reported := r.statuses.report(ctx, flow, status.Flow(flow, &p, now), now)
	p.WakeAfter(wait)
	return settle(r.children.lookAgain(flow, &p), applied, reported)
}

// get is the JobFlow with the newest status there is, or nil if there is nothing to do
// now. unrecorded says that this status is not written yet.
func (r *jobFlowReconciler) get(ctx context.Context, req ctrl.Request) (_ *v1alpha1.JobFlow, unrecorded bool, err error) {
	flow := &v1alpha1.JobFlow{}
	if err := r.client.Get(ctx, req.NamespacedName, flow, readOnly); err != nil {
		if apierrors.IsNotFound(err) {
			r.fresh.forget(req.NamespacedName)
			r.statuses.forget(req.NamespacedName)
			r.pace.forget(req.NamespacedName)
			r.graphs.forget(req.NamespacedName)
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("reading JobFlow: %w", err)
	}
	// What has ended has everything recorded, however old it is.
	if plan.Ended(&flow.Status.Summary) {
		r.statuses.ended(flow)
		r.graphs.forget(req.NamespacedName)
		return flow, false, nil
	}
	if current, err := r.fresh.ensure(ctx, flow); !current || err != nil {
		return nil, false, err
	}
	if there, err := r.statuses.ensure(ctx, flow, r.fresh); !there || err != nil {
		return nil, false, err
	}
	unrecorded, err = r.statuses.refresh(flow)
	return flow, unrecorded, err
}

// validate checks the spec and builds the graph of its steps. A JobFlow that has
// ended needs neither.
func (r *jobFlowReconciler) validate(flow *v1alpha1.JobFlow) (*graph.Graph, field.ErrorList) {
	if plan.Ended(&flow.Status.Summary) {
		return nil, nil
	}
	if mayBeInvalid(flow.Generation, &flow.Status.Summary) {
		if errs := validation.JobFlow(flow); len(errs) > 0 {
			return nil, errs
		}
	}
	built, problems := r.graphs.of(flow)
	if len(problems) > 0 {
		return nil, validation.JobFlow(flow)
	}
	return built, nil
}

// mayBeInvalid says whether a spec is to be checked: what has ended stays as it
// ended, and what this very generation was found to be needs no second look unless
// it was invalid.
func mayBeInvalid(generation int64, s *v1alpha1.Summary) bool {
	if plan.Ended(s) {
		return false
	}
	return s.ObservedGeneration != generation || meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionFailed)
}

func (r *jobFlowReconciler) observe(ctx context.Context, flow *v1alpha1.JobFlow, now time.Time) (plan.FlowObserved, error) {
	own, err := r.children.observe(ctx, flow, flow.Status.Flows, now)
	if err != nil {
		return plan.FlowObserved{}, err
	}
	templates, err := r.templates(ctx, flow)
	if err != nil {
		return plan.FlowObserved{}, err
	}
	return plan.FlowObserved{Observed: own, Templates: templates}, nil
}

// templates are the JobTemplates that steps without a Job refer to.
func (r *jobFlowReconciler) templates(ctx context.Context, flow *v1alpha1.JobFlow) (map[string]*batchv1.JobSpec, error) {
	if plan.Ended(&flow.Status.Summary) {
		return nil, nil
	}
	found := map[string]*batchv1.JobSpec{}
	for i := range flow.Spec.Flows {
		name := flow.Spec.Flows[i].JobTemplateRef
		if _, known := found[name]; known || name == "" {
			continue
		}
		template := &v1alpha1.JobTemplate{}
		err := r.client.Get(ctx, client.ObjectKey{Namespace: flow.Namespace, Name: name}, template, readOnly)
		switch {
		case err == nil:
			found[name] = &template.Spec.JobTemplate
		case !apierrors.IsNotFound(err):
			return nil, fmt.Errorf("reading JobTemplate %s: %w", name, err)
		}
	}
	return found, nil
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
