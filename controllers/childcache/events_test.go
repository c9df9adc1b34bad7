package childcache

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestWhichUpdatesMatter(t *testing.T) {
	gates := func(names ...string) *corev1.Pod {
		pod := &corev1.Pod{}
		for _, name := range names {
			pod.Spec.SchedulingGates = append(pod.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: name})
		}
		return pod
	}
	podIn := func(phase corev1.PodPhase) *corev1.Pod { return &corev1.Pod{Status: corev1.PodStatus{Phase: phase}} }
	jobWith := func(condition batchv1.JobConditionType) *batchv1.Job {
		return &batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: condition, Status: corev1.ConditionTrue}}}}
	}
	owned := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Name: "f"}}}}
	cases := map[string]struct {
		matters       func(before, after any) bool
		before, after any
		want          bool
	}{
		"a pod loses one of two scheduling gates": {podMatters, gates("a", "b"), gates("b"), true},
		"a pod loses its last scheduling gate":    {podMatters, gates("a"), gates(), true},
		"a pod starts":                            {podMatters, podIn(corev1.PodPending), podIn(corev1.PodRunning), false},
		"a pod succeeds":                          {podMatters, podIn(corev1.PodRunning), podIn(corev1.PodSucceeded), true},
		"a pod fails":                             {podMatters, podIn(corev1.PodRunning), podIn(corev1.PodFailed), true},
		"a Job is about to be Complete":           {jobMatters, &batchv1.Job{}, jobWith(batchv1.JobSuccessCriteriaMet), false},
		"a Job is about to be Failed":             {jobMatters, &batchv1.Job{}, jobWith(batchv1.JobFailureTarget), true},
		"nothing of a pod that says why it waits": {podMatters, gates("a"), gates("a"), false},
		"a Job loses its owner":                   {jobMatters, owned, &batchv1.Job{}, true},
		"a Job's counters": {
			jobMatters, &batchv1.Job{Spec: batchv1.JobSpec{Suspend: ptr.To(false)}},
			&batchv1.Job{Spec: batchv1.JobSpec{Suspend: ptr.To(false)}, Status: batchv1.JobStatus{Active: 1}}, false,
		},
		"a Job ends":                  {jobMatters, &batchv1.Job{}, &endedJob{}, true},
		"a pod that was held up ends": {podMatters, gates("a"), &endedPod{}, true},
		"a pod that ended is counted": {podMatters, &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodSucceeded}}, &endedPod{}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.matters(c.before, c.after); got != c.want {
				t.Errorf("matters: %v", got)
			}
		})
	}
}

// A JobFlow may wait for the Jobs of an earlier one of its name to go: their deletion
// causes a reconcile, so that it need not wait for its next try.
func TestDeletedJobEnqueuesItsParent(t *testing.T) {
	job := func(kind string) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "f-a", OwnerReferences: []metav1.OwnerReference{
			{Kind: kind, Name: "f", UID: "earlier", Controller: ptr.To(true)},
		}}}
	}
	events := emptyCache().Events("JobFlow", func(*batchv1.Job) bool { return false })
	for name, c := range map[string]struct {
		deleted  any
		enqueued bool
	}{
		"a Job of a JobFlow":                  {job("JobFlow"), true},
		"one whose deletion the watch missed": {toolscache.DeletedFinalStateUnknown{Key: "ns/f-a", Obj: job("JobFlow")}, true},
		"a Job of a DaemonJob":                {job("DaemonJob"), false},
		"a Job of nobody":                     {&batchv1.Job{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
			defer queue.ShutDown()
			(&enqueueParent{queue, events.parentOfJob, events.newJobMatters, jobMatters}).OnDelete(c.deleted)
			if got := queue.Len() > 0; got != c.enqueued {
				t.Fatalf("a JobFlow is enqueued: %t", got)
			}
			if !c.enqueued {
				return
			}
			if got, _ := queue.Get(); got != request("ns", "f") {
				t.Errorf("%v is enqueued", got)
			}
		})
	}
}

// emptyCache is a cache without Jobs and pods.
func emptyCache() *Cache {
	empty := func(object runtime.Object) toolscache.SharedIndexInformer {
		return toolscache.NewSharedIndexInformer(&toolscache.ListWatch{}, object, 0, toolscache.Indexers{byController: controllerUID})
	}
	return &Cache{jobs: empty(&batchv1.Job{}), pods: empty(&corev1.Pod{})}
}
