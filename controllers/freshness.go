package controllers

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// freshness tells whether a parent as the cache holds it has every result that
// leaders before this process ever recorded in its status. A status from before a
// result was recorded would make a step run twice once its Job is gone. What this
// process wrote itself, statuses know.
//
// Only the leader writes status, so that all of that is older than the fence: the
// resource version of the API server when this process first asked as leader. An
// object that is newer than the fence includes all of it; one that is older is
// read live, once.
type freshness[T any, P object[T]] struct {
	live client.Reader
	list client.ObjectList // the kind, for the fence

	mu    sync.Mutex
	fence string
	// known are the versions that were read live.
	known map[types.NamespacedName]version
}

// object is a pointer to a T that the API server stores.
type object[T any] interface {
	*T
	client.Object
}

type version struct {
	uid types.UID
	rv  string
}

func newFreshness[T any, P object[T]](live client.Reader, list client.ObjectList) *freshness[T, P] {
	return &freshness[T, P]{live: live, list: list, known: map[types.NamespacedName]version{}}
}

// ensure brings object up to date where the cache may be behind. It returns false
// if the object is gone, or if the cache is behind what was read live: the watch is
// then about to bring that. Its spec, too, must not go back in time.
func (f *freshness[T, P]) ensure(ctx context.Context, object P) (bool, error) {
	fence, err := f.raiseFence(ctx)
	if err != nil {
		return false, err
	}
	key := client.ObjectKeyFromObject(object)
	f.mu.Lock()
	known, found := f.known[key]
	f.mu.Unlock()
	if found && known.uid == object.GetUID() {
		order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), known.rv)
		if err != nil {
			return false, fmt.Errorf("comparing versions: %w", err)
		}
		return order >= 0, nil
	}
	order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), fence)
	if err != nil {
		return false, fmt.Errorf("comparing versions: %w", err)
	}
	if order > 0 {
		return true, nil
	}
	var newest T // not object itself: it shares its maps and slices with the cache
	if err := f.live.Get(ctx, key, P(&newest)); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	*object = newest
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[key] = version{object.GetUID(), object.GetResourceVersion()}
	return true, nil
}

// exists asks the API server whether the object is there.
func (f *freshness[T, P]) exists(ctx context.Context, object P) (bool, error) {
	var newest T
	if err := f.live.Get(ctx, client.ObjectKeyFromObject(object), P(&newest)); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return P(&newest).GetUID() == object.GetUID(), nil
}

func (f *freshness[T, P]) forget(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, key)
}

// raiseFence asks the API server once for its newest resource version.
func (f *freshness[T, P]) raiseFence(ctx context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fence != "" {
		return f.fence, nil
	}
	if err := f.live.List(ctx, f.list, client.Limit(1)); err != nil {
		return "", fmt.Errorf("asking for the newest resource version: %w", err)
	}
	f.fence = f.list.GetResourceVersion()
	return f.fence, nil
}
