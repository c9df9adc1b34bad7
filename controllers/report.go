package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writeStatus patches the status of an object from the one that was read to the next one. The
// patch is bound to the version that was read: a status is never computed from one version
// and written over another. gone means that the object does not exist, which is no error. The
// response is decoded into next, which must not share anything with the cache.
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
