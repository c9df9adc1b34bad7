package memory

import (
	"cmp"
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// EnsureCurrent returns a parent, which the cache has, with every result that earlier
// leaders ever recorded in its status: the parent itself, or the newest one where the cache
// may be stale. It returns nil if the parent is gone, or if the cache is older than a live
// read: an event of the watch is about to follow. The spec must not go back in time either.
//
// A status from before a result was recorded would make a step run twice once its Job is
// gone. Only the leader writes status, so every write of an earlier leader is older than the
// barrier: the resource version of the API server when this process first asked as leader. A
// parent that is newer than the barrier includes all of them; one that is older is read
// live, once. What this process wrote itself, the status writer knows.
func (m *Memory) EnsureCurrent(ctx context.Context, parent v1alpha1.Parent) (v1alpha1.Parent, error) {
	barrier, read := m.versions(parent)
	if barrier == "" {
		var err error
		if barrier, err = m.RaiseBarrier(ctx, parent.GetKind()); err != nil {
			return nil, err
		}
	}
	order, err := resourceversion.CompareResourceVersion(parent.GetResourceVersion(), cmp.Or(read, barrier))
	switch {
	case err != nil:
		return nil, fmt.Errorf("comparing versions: %w", err)
	case order > 0, order == 0 && read != "":
		return parent, nil
	case read != "":
		return nil, nil
	}
	// Not into the parent itself, which shares its maps and slices with the cache.
	newest := v1alpha1.NewParent(parent.GetKind())
	if err := m.live.Get(ctx, client.ObjectKeyFromObject(parent), newest); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entry(newest).read = newest.GetResourceVersion()
	return newest, nil
}

// versions returns the barrier, if it is known, and the version of a live read of the parent, if
// there was one.
func (m *Memory) versions(parent v1alpha1.Parent) (barrier, read string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.find(parent); e != nil {
		read = e.read
	}
	return m.barriers[parent.GetKind()], read
}

// RaiseBarrier returns the barrier of a kind. It asks the API server once, while other callers
// wait for the answer.
func (m *Memory) RaiseBarrier(ctx context.Context, kind string) (string, error) {
	select {
	case m.asking <- struct{}{}:
		defer func() { <-m.asking }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if barrier, _ := m.versions(v1alpha1.NewParent(kind)); barrier != "" {
		return barrier, nil
	}
	list := v1alpha1.NewParentList(kind)
	if err := m.live.List(ctx, list, client.Limit(1)); err != nil {
		return "", fmt.Errorf("asking for the newest resource version: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.barriers[kind] = list.GetResourceVersion()
	return m.barriers[kind], nil
}
