package controllers

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/memory"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
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

// jobFlows is what makes a parentReconciler that of JobFlows.
type jobFlows struct {
	cached client.Reader
	memory *memory.Memory
}

func (jobFlows) name() string { return v1alpha1.KindJobFlow }

func (f jobFlows) watch(controller *builder.Builder) *builder.Builder {
	return controller.Watches(&v1alpha1.JobTemplate{}, enqueueOpen(f.cached, f.name(), flowsUsing), builder.WithPredicates(specChanged()))
}

func (f jobFlows) validate(parent v1alpha1.Parent, changed bool) field.ErrorList {
	flow := parent.(*v1alpha1.JobFlow)
	if changed {
		if errs := validation.JobFlow(flow); len(errs) > 0 {
			return errs
		}
	}
	if _, problems := f.memory.Graph(flow); len(problems) > 0 {
		return validation.JobFlow(flow)
	}
	return nil
}

func (f jobFlows) observe(ctx context.Context, parent v1alpha1.Parent, own plan.Observed) (pass, error) {
	flow := parent.(*v1alpha1.JobFlow)
	observed := flowPass{flow: flow, observed: plan.FlowObserved{Observed: own}}
	// A JobFlow that has ended gets no more Jobs: it needs neither its graph nor templates.
	if plan.Ended(flow) {
		return observed, nil
	}
	observed.steps, _ = f.memory.Graph(flow)
	templates, err := f.templates(ctx, flow)
	observed.observed.Templates = templates
	return observed, err
}

// flowPass is one reconcile of a JobFlow.
type flowPass struct {
	flow     *v1alpha1.JobFlow
	steps    *graph.Graph
	observed plan.FlowObserved
}

func (f flowPass) plan(now time.Time) plan.Plan {
	return plan.Flow(f.flow, f.steps, f.observed, now)
}

func (f flowPass) status(p *plan.Plan, now time.Time) v1alpha1.ParentStatus {
	next := status.Flow(f.flow, p, now)
	return &next
}

// templates returns the specs of the JobTemplates that the steps refer to and that exist.
func (f jobFlows) templates(ctx context.Context, flow *v1alpha1.JobFlow) (map[string]*batchv1.JobSpec, error) {
	found := map[string]*batchv1.JobSpec{}
	for i := range flow.Spec.Flows {
		name := flow.Spec.Flows[i].JobTemplateRef
		if _, known := found[name]; known || name == "" {
			continue
		}
		template := &v1alpha1.JobTemplate{}
		err := f.cached.Get(ctx, client.ObjectKey{Namespace: flow.Namespace, Name: name}, template, readOnly)
		switch {
		case err == nil:
			found[name] = &template.Spec.JobTemplate
		case !apierrors.IsNotFound(err):
			return nil, fmt.Errorf("reading JobTemplate %s: %w", name, err)
		}
	}
	return found, nil
}
