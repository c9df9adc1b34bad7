package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// childEvents wakes the parents of one kind when one of their Jobs changes, or a pod
// of one of these. It implements source.SyncingSource.
type childEvents struct {
	cache  *childCache
	recent *recentJobs
	kind   string
	synced []toolscache.InformerSynced
}

// Start implements source.Source.
func (s *childEvents) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	jobs, err1 := s.cache.jobs.AddEventHandler(wakeUp(queue, s.newJobMatters, jobMatters, s.parentOfJob))
	pods, err2 := s.cache.pods.AddEventHandler(wakeUp(queue, s.newPodMatters, podMatters, s.parentOfPod))
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("listening to Jobs and pods: %w", err)
	}
	s.synced = []toolscache.InformerSynced{jobs.HasSynced, pods.HasSynced}
	return nil
}

// WaitForSync implements source.SyncingSource.
func (s *childEvents) WaitForSync(ctx context.Context) error {
	if !toolscache.WaitForCacheSync(ctx.Done(), s.synced...) {
		return errors.New("the caches of Jobs and pods did not fill")
	}
	return nil
}

// String names the source in logs.
func (s *childEvents) String() string { return "Jobs and pods of " + s.kind }

// wakeUp puts the parent of what changed into the queue, if the change matters. What
// was there when the operator started comes after what happens now.
func wakeUp(queue workqueue.TypedRateLimitingInterface[reconcile.Request], added func(object any) bool, changed func(before, after any) bool, parent func(object any) (reconcile.Request, bool)) toolscache.ResourceEventHandler {
	add := func(object any, initial bool) {
		request, found := parent(object)
		if !found {
			return
		}
		if priorities, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok && initial {
			priorities.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, request)
			return
		}
		queue.Add(request)
	}
	return toolscache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, initial bool) {
			if initial || added(object) {
				add(object, initial)
			}
		},
		UpdateFunc: func(before, after any) {
			if changed(before, after) {
				add(before, false) // a Job may change its owner
				add(after, false)
			}
		},
		DeleteFunc: func(object any) {
			if unknown, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
				object = unknown.Obj
			}
			add(object, false)
		},
	}
}

func (s *childEvents) parentOfJob(object any) (reconcile.Request, bool) {
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

// parentOfPod finds the parent of a pod's Job. A pod whose Job the cache does not
// have yet is passed over: the Job's own event is to come. One that says nothing any
// more has been heard before, or is of a Job that has ended.
func (s *childEvents) parentOfPod(object any) (reconcile.Request, bool) {
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

// newJobMatters passes over a Job as we created it ourselves.
func (s *childEvents) newJobMatters(object any) bool {
	job, ok := object.(*batchv1.Job)
	_, ours := s.parentOfJob(object)
	return !ok || !ours || !s.recent.shown(job)
}

// newPodMatters passes over a pod that is on its way, if it is its Job's only one.
func (s *childEvents) newPodMatters(object any) bool {
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

// jobMatters passes over changes of a Job that no plan looks at: its counters of
// pods, above all. A Job that loses its owner is no longer watched for it; this is
// the last event by which its parent learns that it has to ask from now on.
func jobMatters(before, after any) bool {
	old, was := before.(*batchv1.Job)
	now, is := after.(*batchv1.Job)
	if !was || !is {
		return !was != !is || *before.(*endedJob) != *after.(*endedJob)
	}
	return old.UID != now.UID ||
		!equality.Semantic.DeepEqual(conditionsOf(old), conditionsOf(now)) ||
		!equality.Semantic.DeepEqual(old.Spec, now.Spec) ||
		!equality.Semantic.DeepEqual(old.Annotations, now.Annotations) ||
		!equality.Semantic.DeepEqual(old.OwnerReferences, now.OwnerReferences) ||
		!equality.Semantic.DeepEqual(old.DeletionTimestamp, now.DeletionTimestamp)
}

// conditionsOf are those of a Job but for the one that announces its success: pods may
// still run then, so that Complete is waited for.
func conditionsOf(job *batchv1.Job) []batchv1.JobCondition {
	return slices.DeleteFunc(slices.Clone(job.Status.Conditions), func(c batchv1.JobCondition) bool {
		return c.Type == batchv1.JobSuccessCriteriaMet
	})
}

// podMatters passes over changes of a pod that say nothing new of its Job.
func podMatters(before, after any) bool {
	old, was := before.(*corev1.Pod)
	now, is := after.(*corev1.Pod)
	if !was || !is {
		// What held it up, if anything did, is over.
		return was && !podEnded(old)
	}
	return old.UID != now.UID || jobs.ObservePod(old) != jobs.ObservePod(now)
}
