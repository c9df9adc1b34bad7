package history

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Follow lists and watches objects, and calls note for each object whenever it changes, until
// ctx ends. It returns once it has called note for the objects that exist.
//
// A watch that breaks resumes from its last resource version, so it misses nothing. If the API
// server no longer has that version, for example after a restart, Follow lists again. It then
// calls gap, because it has not seen what was created and deleted in between.
//
// It does not use client-go's RetryWatcher, which ends when the version is gone, and pauses for
// a second between watches: too long for what the suites measure.
func Follow(ctx context.Context, c client.WithWatch, list client.ObjectList, note func(watch.EventType, client.Object), gap func(error), options ...client.ListOption) error {
	f := &follower{c, list.DeepCopyObject().(client.ObjectList), options, note, gap}
	from, err := f.list(ctx)
	if err != nil {
		return fmt.Errorf("listing %T: %w", list, err)
	}
	go func() {
		for ctx.Err() == nil {
			if from == "" {
				from, _ = f.list(ctx)
			} else {
				from = f.watch(ctx, from)
			}
			// Only polling shows that the API server is back.
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return nil
}

type follower struct {
	client  client.WithWatch
	objects client.ObjectList
	options []client.ListOption
	note    func(watch.EventType, client.Object)
	gap     func(error)
}

// list notes all objects, and returns the resource version from which to watch.
func (f *follower) list(ctx context.Context) (from string, err error) {
	// A list that has items already would keep fields of theirs when it is decoded into.
	objects := f.objects.DeepCopyObject().(client.ObjectList)
	if err := f.client.List(ctx, objects, f.options...); err != nil {
		return "", err
	}
	return objects.GetResourceVersion(), meta.EachListItem(objects, func(object runtime.Object) error {
		f.note(watch.Added, object.(client.Object))
		return nil
	})
}

// watch notes changes until the watch ends. It returns the resource version from which to
// resume, or "" if the API server no longer has it.
func (f *follower) watch(ctx context.Context, from string) string {
	raw := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: from, AllowWatchBookmarks: true}}
	watcher, err := f.client.Watch(ctx, f.objects, append([]client.ListOption{raw}, f.options...)...)
	if err != nil {
		return f.resume(from, err)
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		if event.Type == watch.Error {
			return f.resume(from, apierrors.FromObject(event.Object))
		}
		object, ok := event.Object.(client.Object)
		if !ok {
			continue
		}
		from = object.GetResourceVersion()
		if event.Type != watch.Bookmark {
			f.note(event.Type, object)
		}
	}
	return from
}

// resume returns the resource version from which to resume after an error, or "".
func (f *follower) resume(from string, err error) string {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		f.gap(fmt.Errorf("the watch had to begin anew with a list: %w", err))
		return ""
	}
	return from
}
