package childcache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// Events enqueues the parents of one kind when one of their Jobs changes, or a pod of
// one of these. It implements source.SyncingSource.
type Events struct {
	cache *Cache
	kind  string
	// expected reports whether a Job that the cache shows for the first time is known already.
	expected func(*batchv1.Job) bool
	synced   []toolscache.InformerSynced
}

// Events returns a source of events for the controller of one kind of parent. A Job for
// which expected returns true causes no event when it appears.
func (c *Cache) Events(kind string, expected func(*batchv1.Job) bool) *Events {
	return &Events{cache: c, kind: kind, expected: expected}
}

type requests = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Start implements source.Source.
func (s *Events) Start(_ context.Context, queue requests) error {
	jobs, err1 := s.cache.jobs.AddEventHandler(&enqueueParent{queue, s.parentOfJob, s.newJobMatters, jobMatters})
	pods, err2 := s.cache.pods.AddEventHandler(&enqueueParent{queue, s.parentOfPod, s.newPodMatters, podMatters})
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("listening to Jobs and pods: %w", err)
	}
	s.synced = []toolscache.InformerSynced{jobs.HasSynced, pods.HasSynced}
	return nil
}

// WaitForSync implements source.SyncingSource.
func (s *Events) WaitForSync(ctx context.Context) error {
	if !toolscache.WaitForCacheSync(ctx.Done(), s.synced...) {
		return errors.New("the caches of Jobs and pods did not fill")
	}
	return nil
}

// String names the source in logs.
func (s *Events) String() string { return "Jobs and pods of " + s.kind }

// enqueueParent enqueues the parent of an object that changed, if the change matters. It
// implements toolscache.ResourceEventHandler.
type enqueueParent struct {
	queue   requests
	parent  func(object any) (reconcile.Request, bool)
	added   func(object any) bool
	changed func(before, after any) bool
}

// OnAdd gives what was there when the operator started a lower priority than what happens
// now.
func (e *enqueueParent) OnAdd(object any, initial bool) {
	priorities, ok := e.queue.(priorityqueue.PriorityQueue[reconcile.Request])
	if request, found := e.parent(object); found && initial && ok {
		priorities.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, request)
	} else if found && (initial || e.added(object)) {
		e.queue.Add(request)
	}
}

// OnUpdate enqueues both parents where a Job changes its owner.
func (e *enqueueParent) OnUpdate(before, after any) {
	if e.changed(before, after) {
		e.enqueue(before)
		e.enqueue(after)
	}
}

// OnDelete also takes what an interrupted watch did not see being deleted.
func (e *enqueueParent) OnDelete(object any) {
	if unknown, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
		object = unknown.Obj
	}
	e.enqueue(object)
}

func (e *enqueueParent) enqueue(object any) {
	if request, found := e.parent(object); found {
		e.queue.Add(request)
	}
}

func (s *Events) parentOfJob(object any) (reconcile.Request, bool) {
	switch job := object.(type) {
	case *endedJob:
		owner := job.owner.Value()
		return request(owner.namespace, owner.name), owner.kind == s.kind
	case *batchv1.Job:
		if owner := metav1.GetControllerOfNoCopy(job); owner != nil {
			return request(job.Namespace, owner.Name), owner.Kind == s.kind
		}
	}
	return reconcile.Request{}, false
}

// parentOfPod finds the parent of a pod's Job. A pod whose Job the cache does not have yet
// is ignored: the Job's own event is about to come. A record of a pod that has ended is
// ignored too: the event before it has been handled, or its Job has ended.
func (s *Events) parentOfPod(object any) (reconcile.Request, bool) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return reconcile.Request{}, false
	}
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || owner.Kind != "Job" {
		return reconcile.Request{}, false
	}
	job, found, err := s.cache.jobs.GetIndexer().GetByKey(pod.Namespace + "/" + owner.Name)
	if !found || err != nil {
		return reconcile.Request{}, false
	}
	return s.parentOfJob(job)
}

func request(namespace, name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

// newJobMatters ignores a Job that is as the operator created it.
func (s *Events) newJobMatters(object any) bool {
	job, ok := object.(*batchv1.Job)
	_, found := s.parentOfJob(object)
	return !ok || !found || !s.expected(job)
}

// newPodMatters ignores a pod that is about to start, if it is its Job's only one.
func (s *Events) newPodMatters(object any) bool {
	pod, ok := object.(*corev1.Pod)
	if !ok || jobs.ObservePod(pod) != (jobs.PodState{}) {
		return true
	}
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return false
	}
	all, err := s.cache.pods.GetIndexer().IndexKeys(byController, string(owner.UID))
	return err != nil || len(all) > 1
}

// jobMatters ignores changes of a Job that no plan depends on: its counters of pods, above
// all. A Job that loses its owner causes no further events for it: with this last one its
// parent begins to read the Job live.
func jobMatters(before, after any) bool {
	previous, whole := before.(*batchv1.Job)
	current, stillWhole := after.(*batchv1.Job)
	if !whole || !stillWhole {
		return whole != stillWhole || *before.(*endedJob) != *after.(*endedJob)
	}
	return previous.UID != current.UID ||
		!equality.Semantic.DeepEqual(conditions(previous), conditions(current)) ||
		!equality.Semantic.DeepEqual(previous.Spec, current.Spec) ||
		!equality.Semantic.DeepEqual(previous.Annotations, current.Annotations) ||
		!equality.Semantic.DeepEqual(previous.OwnerReferences, current.OwnerReferences) ||
		!equality.Semantic.DeepEqual(previous.DeletionTimestamp, current.DeletionTimestamp)
}

// conditions returns those of a Job without the one that announces its success: pods may
// still run then, so that plans wait for Complete.
func conditions(job *batchv1.Job) []batchv1.JobCondition {
	return slices.DeleteFunc(slices.Clone(job.Status.Conditions), func(c batchv1.JobCondition) bool {
		return c.Type == batchv1.JobSuccessCriteriaMet
	})
}

// podMatters ignores changes of a pod that change nothing for its Job.
func podMatters(before, after any) bool {
	previous, whole := before.(*corev1.Pod)
	current, stillWhole := after.(*corev1.Pod)
	if !whole || !stillWhole {
		// What held it up, if anything did, is over.
		return whole && !podEnded(previous)
	}
	return previous.UID != current.UID || jobs.ObservePod(previous) != jobs.ObservePod(current)
}
