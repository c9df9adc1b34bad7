// Package history records the objects of a namespace by watches, including deleted ones, so
// that it shows a Job that was created twice. Both programs and suites use it; package record
// adds what only suites need.
package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// History has every object that was noted, in the order in which they were first seen. The
// zero value is ready for use.
type History struct {
	followed []followed

	mu       sync.Mutex
	entries  []*Entry[client.Object]
	err      error
	changed  chan struct{} // closed at the next change; nil if nothing waits for it
	onChange []func(Change)
}

// followed is what CatchUp lists.
type followed struct {
	client  client.WithWatch
	list    client.ObjectList
	options []client.ListOption
}

// Entry is an object as it was last seen. Do not modify it.
type Entry[T client.Object] struct {
	Object T
	// Seen is the time when the object was first seen.
	Seen    time.Time
	Deleted bool
}

// Change is one write to an object, as a watch shows it.
type Change struct {
	Type   watch.EventType // Added, Modified or Deleted
	Object client.Object
	// Before is the previous state of the object, or nil if it had not been seen.
	Before client.Object
}

// Follow notes all objects of these kinds until ctx ends.
func (h *History) Follow(ctx context.Context, c client.WithWatch, kinds []client.ObjectList, options ...client.ListOption) error {
	for _, list := range kinds {
		h.followed = append(h.followed, followed{c, list, options})
		if err := Follow(ctx, c, list, h.Note, h.Fail, options...); err != nil {
			return err
		}
	}
	return nil
}

// Note records an event of a watch.
func (h *History) Note(kind watch.EventType, object client.Object) {
	change := Change{Type: kind, Object: object}
	h.mu.Lock()
	i := slices.IndexFunc(h.entries, func(e *Entry[client.Object]) bool { return e.Object.GetUID() == object.GetUID() })
	if i < 0 {
		i = len(h.entries)
		h.entries = append(h.entries, &Entry[client.Object]{Seen: time.Now()})
	} else {
		change.Before = h.entries[i].Object
	}
	h.entries[i].Object, h.entries[i].Deleted = object, kind == watch.Deleted
	listeners := h.onChange
	h.mu.Unlock()

	for _, listener := range listeners {
		listener(change)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wake()
}

// wake wakes the callers of Wait. The caller of wake holds mu.
func (h *History) wake() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// Fail records a reason why the history may be incomplete.
func (h *History) Fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = errors.Join(h.err, err)
	h.wake()
}

// Err returns why the history may be incomplete, for example because the API server was
// restarted.
func (h *History) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// OnChange calls f for each change from now on. Changes of one kind come in order; f may be
// called concurrently for changes of different kinds.
func (h *History) OnChange(f func(Change)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onChange = append(slices.Clone(h.onChange), f)
}

// Wait waits until a condition holds. It checks the condition again after every change, once
// all functions of OnChange have returned.
func (h *History) Wait(ctx context.Context, holds func() bool) error {
	for {
		h.mu.Lock()
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed, err := h.changed, h.err
		h.mu.Unlock()
		if err != nil {
			return err
		}
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// CatchUp waits until the history shows everything that the API server has at the time of
// the call.
func (h *History) CatchUp(ctx context.Context) error {
	for _, f := range h.followed {
		list := f.list.DeepCopyObject().(client.ObjectList)
		if err := f.client.List(ctx, list, f.options...); err != nil {
			return fmt.Errorf("listing %T: %w", list, err)
		}
		kind, err := f.client.GroupVersionKindFor(list)
		if err != nil {
			return err
		}
		there := map[types.UID]int64{}
		if err := meta.EachListItem(list, func(item runtime.Object) error {
			there[item.(client.Object).GetUID()] = Version(item.(client.Object))
			return nil
		}); err != nil {
			return err
		}
		kind.Kind = strings.TrimSuffix(kind.Kind, "List")
		isKind := func(object client.Object) bool {
			got, _ := f.client.GroupVersionKindFor(object) // the scheme has every kind that was watched
			return got == kind
		}
		if err := h.Wait(ctx, func() bool { return h.shows(isKind, there, Version(list)) }); err != nil {
			return fmt.Errorf("waiting for the history of %T: %w", list, err)
		}
	}
	return nil
}

// shows reports whether the history has all objects of a kind that existed at a resource
// version, in that or a later state, and no others that old.
func (h *History) shows(is func(client.Object) bool, there map[types.UID]int64, at int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	shown := 0
	for _, entry := range h.entries {
		version, exists := there[entry.Object.GetUID()]
		switch {
		case exists && (entry.Deleted || Version(entry.Object) >= version):
			shown++
		case !exists && !entry.Deleted && is(entry.Object) && Version(entry.Object) <= at:
			return false
		}
	}
	return shown == len(there)
}

// Version returns the resource version of an object or list. All kinds share one etcd, so
// versions also order writes to different objects.
func Version(object interface{ GetResourceVersion() string }) int64 {
	version, err := strconv.ParseInt(object.GetResourceVersion(), 10, 64)
	if err != nil {
		panic(err) // resource versions come from etcd and are numbers
	}
	return version
}

// Gone reports whether an object existed and was deleted.
func (h *History) Gone(uid types.UID) bool {
	return slices.ContainsFunc(Entries[client.Object](h), func(e Entry[client.Object]) bool { return e.Deleted && e.Object.GetUID() == uid })
}

// Empty reports whether no object exists.
func (h *History) Empty() bool {
	return !slices.ContainsFunc(Entries[client.Object](h), func(e Entry[client.Object]) bool { return !e.Deleted })
}

// Entries returns the objects of a type, including deleted ones.
func Entries[T client.Object](h *History) []Entry[T] {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []Entry[T]
	for _, entry := range h.entries {
		if object, ok := entry.Object.(T); ok {
			found = append(found, Entry[T]{object, entry.Seen, entry.Deleted})
		}
	}
	return found
}

// Objects returns the objects of a type that exist.
func Objects[T client.Object](h *History) []T {
	var found []T
	for _, entry := range Entries[T](h) {
		if !entry.Deleted {
			found = append(found, entry.Object)
		}
	}
	return found
}

// Find returns the existing object of a type and name, or nil.
func Find[T client.Object](h *History, key client.ObjectKey) (found T) {
	for _, object := range Objects[T](h) {
		if client.ObjectKeyFromObject(object) == key {
			found = object
		}
	}
	return found
}
