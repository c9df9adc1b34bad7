package jobs

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var (
	created = metav1.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	started = metav1.Date(2026, time.March, 1, 12, 0, 1, 0, time.UTC)
	ended   = metav1.Date(2026, time.March, 1, 12, 5, 0, 0, time.UTC)
	judged  = metav1.Date(2026, time.March, 1, 12, 5, 2, 0, time.UTC)
)

func newJob(change ...func(*batchv1.Job)) *batchv1.Job {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: "flow-step", UID: "job-uid", CreationTimestamp: created,
		Labels: map[string]string{v1alpha1.KindLabel: "JobFlow"},
	}}
	for _, f := range change {
		f(job)
	}
	return job
}

func condition(kind batchv1.JobConditionType, status corev1.ConditionStatus, reason, message string) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: judged,
		})
	}
}

func suspended(job *batchv1.Job) { job.Spec.Suspend = new(true) }

func TestObserveTheJob(t *testing.T) {
	cases := map[string]struct {
		job  *batchv1.Job
		want State
	}{
		"just created": {
			newJob(),
			State{Phase: v1alpha1.PhaseRunning},
		},
		"started": {
			newJob(func(j *batchv1.Job) { j.Status.StartTime, j.Spec.Suspend = &started, new(false) }),
			State{Phase: v1alpha1.PhaseRunning},
		},
		"being deleted": {
			newJob(func(j *batchv1.Job) { j.DeletionTimestamp = &ended }),
			State{Phase: v1alpha1.PhaseRunning, Deleting: true},
		},
		"Complete": {
			newJob(condition(batchv1.JobComplete, corev1.ConditionTrue, "CompletionsReached", "Reached expected number of succeeded pods"),
				func(j *batchv1.Job) { j.Status.CompletionTime = &ended }),
			State{Phase: v1alpha1.PhaseSucceeded, CompletionTime: &ended},
		},
		"Complete without a completion time": {
			newJob(condition(batchv1.JobComplete, corev1.ConditionTrue, "", "")),
			State{Phase: v1alpha1.PhaseSucceeded, CompletionTime: &judged},
		},
		"Failed": {
			newJob(condition(batchv1.JobFailed, corev1.ConditionTrue, "BackoffLimitExceeded", "Job has reached\nthe specified backoff limit")),
			State{Phase: v1alpha1.PhaseFailed, Reason: "BackoffLimitExceeded", Message: "Job has reached the specified backoff limit", CompletionTime: &judged},
		},
		"Failed, by a controller that gives no time": {
			newJob(func(j *batchv1.Job) {
				j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "Custom"}}
			}),
			State{Phase: v1alpha1.PhaseFailed, Reason: "Custom"},
		},
		"conditions that are not True": {
			newJob(condition(batchv1.JobComplete, corev1.ConditionFalse, "", ""), condition(batchv1.JobFailed, corev1.ConditionUnknown, "", "")),
			State{Phase: v1alpha1.PhaseRunning},
		},
		"SuccessCriteriaMet is not the end": {
			newJob(condition(batchv1.JobSuccessCriteriaMet, corev1.ConditionTrue, "", "")),
			State{Phase: v1alpha1.PhaseRunning},
		},
		"FailureTarget is not the end": {
			newJob(condition(batchv1.JobFailureTarget, corev1.ConditionTrue, "", "")),
			State{Phase: v1alpha1.PhaseRunning},
		},
		"the end comes after the target": {
			newJob(condition(batchv1.JobFailureTarget, corev1.ConditionTrue, "DeadlineExceeded", ""), condition(batchv1.JobFailed, corev1.ConditionTrue, "DeadlineExceeded", "too long")),
			State{Phase: v1alpha1.PhaseFailed, Reason: "DeadlineExceeded", Message: "too long", CompletionTime: &judged},
		},
		"counters are not the end": {
			newJob(func(j *batchv1.Job) { j.Status.Succeeded, j.Status.Failed = 1, 7 }),
			State{Phase: v1alpha1.PhaseRunning},
		},
		"suspended by its parent": {
			newJob(suspended, func(j *batchv1.Job) { j.Annotations = map[string]string{v1alpha1.SuspendedAnnotation: ""} }),
			State{Phase: v1alpha1.PhaseWaiting, Suspended: true, Reason: v1alpha1.ReasonSuspended, Message: "spec.suspend of the JobFlow is true"},
		},
		"suspended by a queue": {
			newJob(suspended, func(j *batchv1.Job) { j.Labels["kueue.x-k8s.io/queue-name"] = "gpu" }),
			State{Phase: v1alpha1.PhaseWaiting, Suspended: true, Reason: v1alpha1.ReasonQueued, Message: "waits in queue gpu: spec.suspend of Job flow-step is true"},
		},
		"suspended by a person": {
			newJob(suspended),
			State{Phase: v1alpha1.PhaseWaiting, Suspended: true, Reason: v1alpha1.ReasonQueued, Message: "spec.suspend of Job flow-step is true; it starts when a queue or a person sets that to false"},
		},
		"resumed, with the mark still there": {
			newJob(func(j *batchv1.Job) {
				j.Spec.Suspend, j.Annotations = new(false), map[string]string{v1alpha1.SuspendedAnnotation: ""}
			}),
			State{Phase: v1alpha1.PhaseRunning},
		},
		"suspended after its end": {
			newJob(suspended, condition(batchv1.JobComplete, corev1.ConditionTrue, "", "")),
			State{Phase: v1alpha1.PhaseSucceeded, Suspended: true, CompletionTime: &judged},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.want.Name, c.want.UID, c.want.StartTime, c.want.Job = "flow-step", "job-uid", created, c.job
			// A pod that waits proves nothing about a Job that has ended or is suspended.
			var pods []*corev1.Pod
			if c.want.Phase != v1alpha1.PhaseRunning {
				pods = append(pods, newPod("x", unschedulable("0/3 nodes")))
			}
			if diff := cmp.Diff(c.want, Observe(c.job, pods)); diff != "" {
				t.Errorf("Observe() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObserveDoesNotShareItsTimes(t *testing.T) {
	for name, job := range map[string]*batchv1.Job{
		"completion time": newJob(condition(batchv1.JobComplete, corev1.ConditionTrue, "", ""), func(j *batchv1.Job) { j.Status.CompletionTime = ended.DeepCopy() }),
		"transition time": newJob(condition(batchv1.JobFailed, corev1.ConditionTrue, "", "")),
	} {
		before := job.DeepCopy()
		Observe(job, nil).CompletionTime.Time = time.Time{}
		if diff := cmp.Diff(before, job); diff != "" {
			t.Errorf("%s: the Job was changed (-before +after):\n%s", name, diff)
		}
	}
}

func TestClip(t *testing.T) {
	cases := map[string]struct{ message, want string }{
		"empty":                   {"", ""},
		"short":                   {"no node fits", "no node fits"},
		"one line of several":     {"first\nsecond\r\n\tthird\n", "first second third"},
		"256 characters":          {strings.Repeat("a", 256), strings.Repeat("a", 256)},
		"257 characters":          {strings.Repeat("a", 257), strings.Repeat("a", 255) + "…"},
		"256 characters, no byte": {strings.Repeat("ä", 256), strings.Repeat("ä", 256)},
		"257 characters, no byte": {strings.Repeat("ä", 257), strings.Repeat("ä", 255) + "…"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := Clip(c.message)
			if got != c.want {
				t.Errorf("Clip() = %q, want %q", got, c.want)
			}
			if n := utf8.RuneCountInString(got); n > 256 {
				t.Errorf("%d characters", n)
			}
		})
	}
}
