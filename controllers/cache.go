package controllers

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// readOnly spares the copy of an object that is only read. Nothing that comes from a read
// with it may be changed.
var readOnly = client.UnsafeDisableDeepCopyOption(true)

// cacheOptions keeps the manager's cache small: of every object it has only what is read. Jobs
// and pods are in package childcache.
func cacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform: trimMeta,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.JobFlow{}: {Transform: trimFlow},
			&corev1.Node{}:      {Transform: trimNode},
		},
	}
}

// trimMeta removes fields that the operator does not read and that would double the size of
// an object. None of these objects is ever written back whole.
func trimMeta(in any) (any, error) {
	if object, ok := in.(metav1.Object); ok {
		object.SetManagedFields(nil)
		delete(object.GetAnnotations(), corev1.LastAppliedConfigAnnotation)
	}
	return in, nil
}

// trimFlow keeps of a JobFlow that has ended what is still needed: its TTL, its end, and which
// JobTemplates it used.
func trimFlow(in any) (any, error) {
	flow, ok := in.(*v1alpha1.JobFlow)
	if !ok || !plan.Ended(flow) {
		return trimMeta(in)
	}
	var steps []v1alpha1.FlowStep
	for i := range flow.Spec.Flows {
		if ref := flow.Spec.Flows[i].JobTemplateRef; ref != "" {
			steps = append(steps, v1alpha1.FlowStep{Name: flow.Spec.Flows[i].Name, JobTemplateRef: ref})
		}
	}
	flow.Spec = v1alpha1.JobFlowSpec{Flows: steps, TTLSecondsAfterFinished: flow.Spec.TTLSecondsAfterFinished}
	flow.Status.Flows = nil
	return trimMeta(in)
}

// trimNode keeps the fields of a node that decide whether a DaemonJob runs there.
func trimNode(in any) (any, error) {
	if node, ok := in.(*corev1.Node); ok {
		node.Status = corev1.NodeStatus{}
		node.Spec = corev1.NodeSpec{Taints: node.Spec.Taints, Unschedulable: node.Spec.Unschedulable}
		node.Annotations = nil
	}
	return trimMeta(in)
}
