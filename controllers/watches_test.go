package controllers

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestWhichUpdatesMatter(t *testing.T) {
	gates := func(names ...string) *corev1.Pod {
		pod := &corev1.Pod{}
		for _, name := range names {
			pod.Spec.SchedulingGates = append(pod.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: name})
		}
		return pod
	}
	template := func(uid string, generation int64, uses int32) *v1alpha1.JobTemplate {
		template := &v1alpha1.JobTemplate{Status: v1alpha1.JobTemplateStatus{Dependencies: uses}}
		template.SetUID(types.UID(uid))
		template.SetGeneration(generation)
		return template
	}
	updates := func(p predicate.Predicate) func(before, after any) bool {
		return func(before, after any) bool {
			return p.Update(event.UpdateEvent{ObjectOld: before.(client.Object), ObjectNew: after.(client.Object)})
		}
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
		"a Job ends":                        {jobMatters, &batchv1.Job{}, &endedJob{}, true},
		"a pod that was held up ends":       {podMatters, gates("a"), &endedPod{}, true},
		"a pod that ended is counted":       {podMatters, &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodSucceeded}}, &endedPod{}, false},
		"a JobTemplate is used by one more": {updates(specChanged()), template("t", 1, 0), template("t", 1, 1), false},
		"a JobTemplate is edited":           {updates(specChanged()), template("t", 1, 0), template("t", 2, 0), true},
		"a JobTemplate is another one now":  {updates(specChanged()), template("t", 1, 0), template("u", 1, 0), true},
		"a JobFlow goes on":                 {updates(cameOrWent()), flowAt("u", "1"), flowAt("u", "2"), false},
		"a JobFlow is another one now":      {updates(cameOrWent()), flowAt("u", "1"), flowAt("v", "2"), true},
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
// wakes it, so that it need not wait for its next try.
func TestDeletedJobWakesItsParent(t *testing.T) {
	job := func(kind string) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "f-a", OwnerReferences: []metav1.OwnerReference{
			{Kind: kind, Name: "f", UID: "earlier", Controller: ptr.To(true)},
		}}}
	}
	events := &childEvents{cache: noChildren(), recent: &recentJobs{}, kind: "JobFlow"}
	for name, c := range map[string]struct {
		deleted any
		wakes   bool
	}{
		"a Job of a JobFlow":                  {job("JobFlow"), true},
		"one whose deletion the watch missed": {toolscache.DeletedFinalStateUnknown{Key: "ns/f-a", Obj: job("JobFlow")}, true},
		"a Job of a DaemonJob":                {job("DaemonJob"), false},
		"a Job of nobody":                     {&batchv1.Job{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
			defer queue.ShutDown()
			wakeUp(queue, events.newJobMatters, jobMatters, events.parentOfJob).OnDelete(c.deleted)
			if woken := queue.Len() > 0; woken != c.wakes {
				t.Fatalf("a JobFlow is woken: %t", woken)
			}
			if !c.wakes {
				return
			}
			if got, _ := queue.Get(); got != request("ns", "f") {
				t.Errorf("%v is woken", got)
			}
		})
	}
}
