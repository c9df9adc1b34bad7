package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// report writes the status of a JobFlow if it changed, and then its events and
// metrics. A change that can wait is kept, and wait says for how long.
func (r *jobFlowReconciler) report(ctx context.Context, flow *v1alpha1.JobFlow, written, next v1alpha1.JobFlowStatus, now time.Time) (wait time.Duration, err error) {
	if equality.Semantic.DeepEqual(written, next) {
		r.unwritten.forget(client.ObjectKeyFromObject(flow))
		return 0, nil
	}
	if wait = r.unwritten.gather(flow, next, window(&written.Summary, &next.Summary, written.Flows, next.Flows), now); wait > 0 {
		return wait, nil
	}
	patched := &v1alpha1.JobFlow{ObjectMeta: identity(flow), Status: *next.DeepCopy()}
	gone, err := writeStatus(ctx, r.client, &v1alpha1.JobFlow{ObjectMeta: identity(flow), Status: written}, patched)
	if err != nil {
		return 0, err
	}
	r.unwritten.forget(client.ObjectKeyFromObject(flow))
	if gone {
		return 0, nil
	}
	r.fresh.wrote(patched)
	record(r.events, flow, status.FlowEvents(&written, &next))
	metrics.Transition(metrics.JobFlow, &written.Summary, &next.Summary, written.Flows, next.Flows)
	return 0, nil
}

// report writes the status of a DaemonJob if it changed, and then its events and
// metrics. A change that can wait is kept, and wait says for how long.
func (r *daemonJobReconciler) report(ctx context.Context, dj *v1alpha1.DaemonJob, written, next v1alpha1.DaemonJobStatus, now time.Time) (wait time.Duration, err error) {
	if equality.Semantic.DeepEqual(written, next) {
		r.unwritten.forget(client.ObjectKeyFromObject(dj))
		return 0, nil
	}
	if wait = r.unwritten.gather(dj, next, window(&written.Summary, &next.Summary, written.Nodes, next.Nodes), now); wait > 0 {
		return wait, nil
	}
	patched := &v1alpha1.DaemonJob{ObjectMeta: identity(dj), Status: *next.DeepCopy()}
	gone, err := writeStatus(ctx, r.client, &v1alpha1.DaemonJob{ObjectMeta: identity(dj), Status: written}, patched)
	if err != nil {
		return 0, err
	}
	r.unwritten.forget(client.ObjectKeyFromObject(dj))
	if gone {
		return 0, nil
	}
	r.fresh.wrote(patched)
	record(r.events, dj, status.DaemonEvents(&written, &next))
	metrics.Transition(metrics.DaemonJob, &written.Summary, &next.Summary, written.Nodes, next.Nodes)
	return 0, nil
}

// report writes the status of a JobTemplate if it changed.
func (r *jobTemplateReconciler) report(ctx context.Context, template *v1alpha1.JobTemplate, next v1alpha1.JobTemplateStatus) error {
	if equality.Semantic.DeepEqual(template.Status, next) {
		return nil
	}
	_, err := writeStatus(ctx, r.client,
		&v1alpha1.JobTemplate{ObjectMeta: identity(template), Status: template.Status},
		&v1alpha1.JobTemplate{ObjectMeta: identity(template), Status: next})
	return err
}

// identity is as much of an object's metadata as a status patch needs.
func identity(object client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace:       object.GetNamespace(),
		Name:            object.GetName(),
		UID:             object.GetUID(),
		ResourceVersion: object.GetResourceVersion(),
	}
}

// writeStatus patches the status from what was read to what it shall be. It is
// bound to the version that was read: a status is never computed from one version
// and written over another. An object that is gone needs no status. The answer is
// decoded into next, which must not share anything with what the cache holds.
func writeStatus(ctx context.Context, c client.Client, read, next client.Object) (gone bool, err error) {
	patch := client.MergeFromWithOptions(read, client.MergeFromWithOptimisticLock{})
	err = c.Status().Patch(ctx, next, patch)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("writing status: %w", err)
	}
	return false, nil
}

func record(recorder events.EventRecorder, regarding runtime.Object, list []status.Event) {
	for _, event := range list {
		recorder.Eventf(regarding, nil, event.Type, event.Reason, "Reconcile", "%s", event.Message)
	}
}
