package childcache

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// Of a Job that has ended a record is kept. What is read of the Job, and what may be
// changed in it, is the same.
func TestRecordOfAnEndedJob(t *testing.T) {
	at := metav1.NewTime(time.Unix(1_700_000_000, 0))
	job := func(kind batchv1.JobConditionType, edit func(*batchv1.Job)) *batchv1.Job {
		j := &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "ns", Name: "f-a", UID: "u", ResourceVersion: "7", CreationTimestamp: at,
				Annotations:     map[string]string{v1alpha1.RunAnnotation: "a"},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: "JobFlow", Name: "f", UID: "p", Controller: new(true)}},
			},
			Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{
				{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue},
				{Type: kind, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "two  blanks", LastTransitionTime: at},
			}},
		}
		if edit != nil {
			edit(j)
		}
		return j
	}
	cases := map[string]struct {
		job    *batchv1.Job
		record bool
	}{
		"Complete": {job(batchv1.JobComplete, func(j *batchv1.Job) { j.Status.CompletionTime = &at }), true},
		"Failed":   {job(batchv1.JobFailed, nil), true},
		"with a TTL that waits, of a DaemonJob": {job(batchv1.JobComplete, func(j *batchv1.Job) {
			j.Annotations[v1alpha1.TTLAnnotation], j.Annotations[v1alpha1.SettingsAnnotation] = "5", "ttlSecondsAfterFinished=5"
		}), true},
		"with a TTL":           {job(batchv1.JobFailed, func(j *batchv1.Job) { j.Spec.TTLSecondsAfterFinished = new(int32(0)) }), true},
		"it runs":              {job(batchv1.JobSuspended, nil), false},
		"it is being deleted":  {job(batchv1.JobComplete, func(j *batchv1.Job) { j.DeletionTimestamp = &at }), false},
		"it belongs to nobody": {job(batchv1.JobComplete, func(j *batchv1.Job) { j.OwnerReferences = nil }), false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := c.job.DeepCopy()
			kept, err := recordJob(c.job)
			if err != nil {
				t.Fatal(err)
			}
			record, ok := kept.(*endedJob)
			if ok != c.record {
				t.Fatalf("kept as %T", kept)
			}
			if !ok {
				return
			}
			again := record.job()
			if diff := cmp.Diff(want.ObjectMeta, again.ObjectMeta); diff != "" {
				t.Errorf("metadata (-was +is):\n%s", diff)
			}
			if diff := cmp.Diff(want.Spec, again.Spec); diff != "" {
				t.Errorf("spec (-was +is):\n%s", diff)
			}
			was, is := jobs.Observe(want, nil), jobs.Observe(again, nil)
			was.Job, is.Job = nil, nil
			if was.Phase == v1alpha1.PhaseSucceeded {
				is.Reason, is.Message = "", ""
			}
			if diff := cmp.Diff(was, is); diff != "" {
				t.Errorf("observed (-was +is):\n%s", diff)
			}
			if twice, err := recordJob(record); err != nil || twice != kept {
				t.Errorf("a record is recorded again as %v, %v", twice, err)
			}
		})
	}
}

// Of a pod that has ended a record is kept once its Job has counted it.
func TestRecordOfAnEndedPod(t *testing.T) {
	pod := func(phase corev1.PodPhase, finalizers ...string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", Finalizers: finalizers}, Status: corev1.PodStatus{Phase: phase}}
	}
	deleting := pod(corev1.PodSucceeded)
	deleting.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	for name, c := range map[string]struct {
		pod    *corev1.Pod
		record bool
	}{
		"it ran and is counted":         {pod(corev1.PodSucceeded), true},
		"it failed and is counted":      {pod(corev1.PodFailed), true},
		"it ran and is not counted yet": {pod(corev1.PodSucceeded, batchv1.JobTrackingFinalizer), false},
		"it runs":                       {pod(corev1.PodRunning), false},
		"it is being deleted":           {deleting, false},
	} {
		t.Run(name, func(t *testing.T) {
			kept, err := recordPod(c.pod)
			if _, ok := kept.(*endedPod); ok != c.record || err != nil {
				t.Errorf("kept as %T, %v", kept, err)
			}
		})
	}
}
