package controllers

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
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
type freshness struct {
	kind string
	live client.Reader

	mu    sync.Mutex
	fence string
	// known are the versions that were read live.
	known map[types.NamespacedName]version
}

type version struct {
	uid types.UID
	rv  string
}

func newFreshness(kind string, live client.Reader) *freshness {
	return &freshness{kind: kind, live: live, known: map[types.NamespacedName]version{}}
}

// ensure returns a parent, as the cache has it, with everything that was recorded: the
// parent itself, or the newest one where the cache may be behind. It returns nil if the
// object is gone, or if the cache is behind what was read live: the watch is then about to
// bring that. Its spec, too, must not go back in time.
func (f *freshness) ensure(ctx context.Context, parent v1alpha1.Parent) (v1alpha1.Parent, error) {
	fence, err := f.raiseFence(ctx)
	if err != nil {
		return nil, err
	}
	key := client.ObjectKeyFromObject(parent)
	f.mu.Lock()
	known, found := f.known[key]
	f.mu.Unlock()
	if found && known.uid == parent.GetUID() {
		order, err := resourceversion.CompareResourceVersion(parent.GetResourceVersion(), known.rv)
		if err != nil {
			return nil, fmt.Errorf("comparing versions: %w", err)
		}
		if order < 0 {
			return nil, nil
		}
		return parent, nil
	}
	order, err := resourceversion.CompareResourceVersion(parent.GetResourceVersion(), fence)
	if err != nil {
		return nil, fmt.Errorf("comparing versions: %w", err)
	}
	if order > 0 {
		return parent, nil
	}
	newest := v1alpha1.NewParent(f.kind)
	if err := f.live.Get(ctx, key, newest); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[key] = version{newest.GetUID(), newest.GetResourceVersion()}
	return newest, nil
}

func (f *freshness) forget(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, key)
}

// raiseFence asks the API server once for its newest resource version.
func (f *freshness) raiseFence(ctx context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fence != "" {
		return f.fence, nil
	}
	list := v1alpha1.NewParentList(f.kind)
	if err := f.live.List(ctx, list, client.Limit(1)); err != nil {
		return "", fmt.Errorf("asking for the newest resource version: %w", err)
	}
	f.fence = list.GetResourceVersion()
	return f.fence, nil
}
