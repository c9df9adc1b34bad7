package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

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
