package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

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
