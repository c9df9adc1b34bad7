package controllers

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// +kubebuilder:rbac:groups=api.practice.com,resources=jobtemplates/status,verbs=patch

// maxDependencies is the most names in status.dependencyList.
const maxDependencies = 500

// jobTemplateReconciler keeps the list of the Jobs that use a JobTemplate. The list is derived
// from spec.flows of JobFlows, which is immutable: status is written once for each flow that is
// created or deleted, not for each Job.
type jobTemplateReconciler struct {
	client client.Client
}

// setup adds the controller. Its own status writes cause reconciles too, on purpose: a status
// that equals the one in the cache is not written, and the cache may be stale.
func (r *jobTemplateReconciler) setup(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.JobTemplate{}).
		Watches(&v1alpha1.JobFlow{}, templatesUsed(), builder.WithPredicates(createdOrDeleted())).
		WithOptions(options).
		Complete(countErrors{r, v1alpha1.KindJobTemplate})
}

// Reconcile writes which Jobs use one JobTemplate.
func (r *jobTemplateReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	template := &v1alpha1.JobTemplate{}
	if err := r.client.Get(ctx, req.NamespacedName, template, readOnly); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if template.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	flows := &v1alpha1.JobFlowList{}
	if err := r.client.List(ctx, flows, client.InNamespace(req.Namespace), client.MatchingFields{byJobTemplate: req.Name}, readOnly); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing JobFlows: %w", err)
	}
	var names []string
	for i := range flows.Items {
		flow := &flows.Items[i]
		for j := range flow.Spec.Flows {
			if step := &flow.Spec.Flows[j]; step.JobTemplateRef == req.Name {
				names = append(names, jobs.Name(flow.Name, step.Name, &template.Spec.JobTemplate))
			}
		}
	}
	slices.Sort(names)
	return newResult(ctx, requeue{}, r.report(ctx, template, v1alpha1.JobTemplateStatus{
		ObservedGeneration: template.Generation,
		Dependencies:       int32(len(names)),
		DependencyList:     names[:min(len(names), maxDependencies)],
	}))
}

// report writes the status of a JobTemplate if it changed.
func (r *jobTemplateReconciler) report(ctx context.Context, template *v1alpha1.JobTemplate, next v1alpha1.JobTemplateStatus) error {
	if equality.Semantic.DeepEqual(template.Status, next) {
		return nil
	}
	written := template.DeepCopy()
	written.Status = next
	_, err := writeStatus(ctx, r.client, template, written)
	return err
}
