package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Change is one thing that was written, as a watch shows it.
type Change struct {
	Type   watch.EventType // Added, Modified or Deleted
	Object client.Object
	// Version is the resource version of the write. All kinds are counted by one
	// etcd, so that it orders writes to different objects too.
	Version int64
}

// Record is everything that is written to Jobs, pods, JobFlows, DaemonJobs and
// JobTemplates, by whomever, from the moment that it was made. It is kept by watches of
// the harness's own.
type Record struct {
	client    client.WithWatch
	namespace string
	kinds     []client.ObjectList

	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	err      error
	objects  map[types.UID]client.Object
	newest   map[named]types.UID
	gone     map[types.UID]bool
	jobs     []*JobHistory
	byUID    map[types.UID]*JobHistory
	versions []int64
	onChange []func(Change)
	// succeeded are pods whose success is in the history of their Job.
	succeeded map[types.UID]bool
}

type named struct {
	kind string
	key  client.ObjectKey
}

// NewRecord starts a record of one namespace, or of all of them if it is empty. It ends
// with ctx.
func NewRecord(ctx context.Context, c client.WithWatch, namespace string) (*Record, error) {
	r := EmptyRecord()
	r.client, r.namespace = c, namespace
	r.kinds = []client.ObjectList{
		&batchv1.JobList{}, &corev1.PodList{}, &v1alpha1.JobFlowList{}, &v1alpha1.DaemonJobList{}, &v1alpha1.JobTemplateList{},
	}
	for _, list := range r.kinds {
		if err := r.watch(ctx, list); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// EmptyRecord is one that watches nothing: of what is added to it.
func EmptyRecord() *Record {
	return &Record{
		changed:   make(chan struct{}),
		objects:   map[types.UID]client.Object{},
		newest:    map[named]types.UID{},
		gone:      map[types.UID]bool{},
		byUID:     map[types.UID]*JobHistory{},
		succeeded: map[types.UID]bool{},
	}
}

func (r *Record) watch(ctx context.Context, kind client.ObjectList) error {
	start := kind.DeepCopyObject().(client.ObjectList)
	if err := r.client.List(ctx, start, client.InNamespace(r.namespace)); err != nil {
		return fmt.Errorf("listing %T: %w", kind, err)
	}
	err := meta.EachListItem(start, func(object runtime.Object) error {
		r.Add(watch.Added, object.(client.Object))
		return nil
	})
	if err != nil {
		return err
	}
	// It takes up the watch again where it broke off.
	watcher, err := toolswatch.NewRetryWatcherWithContext(ctx, start.GetResourceVersion(), watcherFunc(func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		return r.client.Watch(ctx, kind.DeepCopyObject().(client.ObjectList), &client.ListOptions{Namespace: r.namespace, Raw: &options})
	}))
	if err != nil {
		return fmt.Errorf("watching %T: %w", kind, err)
	}
	go func() {
		for event := range watcher.ResultChan() {
			if object, ok := event.Object.(client.Object); ok && event.Type != watch.Bookmark {
				r.Add(event.Type, object)
			}
		}
		if ctx.Err() == nil {
			r.fail(fmt.Errorf("the watch of %T broke: something may have been missed", kind))
		}
	}()
	return nil
}

type watcherFunc func(context.Context, metav1.ListOptions) (watch.Interface, error)

// WatchWithContext implements cache.WatcherWithContext.
func (f watcherFunc) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return f(ctx, options)
}

var _ cache.WatcherWithContext = watcherFunc(nil)

// Add notes an event of a watch.
func (r *Record) Add(kind watch.EventType, object client.Object) {
	version, err := strconv.ParseInt(object.GetResourceVersion(), 10, 64)
	if err != nil {
		r.fail(fmt.Errorf("a resource version that is no number: %w", err))
		return
	}
	change := Change{kind, object, version}
	name := named{kindOf(object), client.ObjectKeyFromObject(object)}

	r.mu.Lock()
	if kind == watch.Deleted {
		delete(r.objects, object.GetUID())
		r.gone[object.GetUID()] = true
		if r.newest[name] == object.GetUID() {
			delete(r.newest, name)
		}
	} else {
		r.objects[object.GetUID()] = object
		r.newest[name] = object.GetUID()
	}
	r.versions = append(r.versions, version)
	r.keepHistory(change)
	listeners := r.onChange
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()

	for _, listener := range listeners {
		listener(change)
	}
}

func (r *Record) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Err returns what went wrong in the record, or in the player that acts on it.
func (r *Record) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// OnChange has f called with each change from now on. Those of one kind come in order;
// changes of different kinds may come at the same time.
func (r *Record) OnChange(f func(Change)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onChange = append(slices.Clone(r.onChange), f)
}

// Wait waits until the record shows that a condition holds. It is asked again at every
// change.
func (r *Record) Wait(ctx context.Context, holds func() bool) error {
	for {
		r.mu.Lock()
		changed, err := r.changed, r.err
		r.mu.Unlock()
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

// CatchUp waits until the record shows everything that the API server has by now.
func (r *Record) CatchUp(ctx context.Context) error {
	for _, kind := range r.kinds {
		list := kind.DeepCopyObject().(client.ObjectList)
		if err := r.client.List(ctx, list, client.InNamespace(r.namespace)); err != nil {
			return fmt.Errorf("listing %T: %w", kind, err)
		}
		there := map[types.UID]int64{}
		err := meta.EachListItem(list, func(object runtime.Object) error {
			version, err := strconv.ParseInt(object.(client.Object).GetResourceVersion(), 10, 64)
			there[object.(client.Object).GetUID()] = version
			return err
		})
		if err != nil {
			return err
		}
		itemKind := kindOfList(kind)
		if err := r.Wait(ctx, func() bool { return r.shows(itemKind, there) }); err != nil {
			return fmt.Errorf("waiting for the record of every %s: %w", itemKind, err)
		}
	}
	return nil
}

func (r *Record) shows(kind string, there map[types.UID]int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for uid, version := range there {
		object := r.objects[uid]
		if object == nil && !r.gone[uid] || object != nil && versionOf(object) < version {
			return false
		}
	}
	for uid, object := range r.objects {
		if _, exists := there[uid]; !exists && kindOf(object) == kind {
			return false
		}
	}
	return true
}

func versionOf(object client.Object) int64 {
	version, _ := strconv.ParseInt(object.GetResourceVersion(), 10, 64) // checked when it came
	return version
}

// Versions are the resource versions of all changes so far, in order.
func (r *Record) Versions() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.versions))
}

// Gone says whether an object existed and was deleted.
func (r *Record) Gone(uid types.UID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone[uid]
}

// Empty says whether nothing exists any more.
func (r *Record) Empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.objects) == 0
}

func (r *Record) find(kind string, key client.ObjectKey) client.Object {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.objects[r.newest[named{kind, key}]]
}

// each calls f with all objects of a kind that exist. They are to be read only.
func each[T client.Object](r *Record, f func(T)) {
	r.mu.Lock()
	var found []T
	for _, object := range r.objects {
		if object, is := object.(T); is {
			found = append(found, object)
		}
	}
	r.mu.Unlock()
	for _, object := range found {
		f(object)
	}
}

// Job is the Job of a name as it is, or nil. It is to be read only, as all that the
// record gives.
func (r *Record) Job(key client.ObjectKey) *batchv1.Job {
	job, _ := r.find("Job", key).(*batchv1.Job)
	return job
}

// Pod is the pod of a name as it is, or nil.
func (r *Record) Pod(key client.ObjectKey) *corev1.Pod {
	pod, _ := r.find("Pod", key).(*corev1.Pod)
	return pod
}

// JobFlow is the JobFlow of a name as it is, or nil.
func (r *Record) JobFlow(key client.ObjectKey) *v1alpha1.JobFlow {
	flow, _ := r.find("JobFlow", key).(*v1alpha1.JobFlow)
	return flow
}

// DaemonJob is the DaemonJob of a name as it is, or nil.
func (r *Record) DaemonJob(key client.ObjectKey) *v1alpha1.DaemonJob {
	dj, _ := r.find("DaemonJob", key).(*v1alpha1.DaemonJob)
	return dj
}

func kindOf(object client.Object) string {
	switch object.(type) {
	case *batchv1.Job:
		return "Job"
	case *corev1.Pod:
		return "Pod"
	case *v1alpha1.JobFlow:
		return "JobFlow"
	case *v1alpha1.DaemonJob:
		return "DaemonJob"
	default:
		return "JobTemplate"
	}
}

func kindOfList(list client.ObjectList) string {
	switch list.(type) {
	case *batchv1.JobList:
		return "Job"
	case *corev1.PodList:
		return "Pod"
	case *v1alpha1.JobFlowList:
		return "JobFlow"
	case *v1alpha1.DaemonJobList:
		return "DaemonJob"
	default:
		return "JobTemplate"
	}
}
