package jobs

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ofOne returns a Job with one pod, with the API server's defaults.
func ofOne(change ...func(*batchv1.Job)) *batchv1.Job {
	defaults := func(j *batchv1.Job) {
		j.Spec.Completions, j.Spec.Parallelism, j.Spec.BackoffLimit = new(int32(1)), new(int32(1)), new(int32(0))
		j.Spec.CompletionMode, j.Spec.Suspend = new(batchv1.NonIndexedCompletion), new(false)
	}
	return newJob(append([]func(*batchv1.Job){defaults}, change...)...)
}

func tracked(phase corev1.PodPhase, change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Finalizers: []string{batchv1.JobTrackingFinalizer}}}
	pod.Status.Phase = phase
	for _, f := range change {
		f(pod)
	}
	return pod
}

func TestWhetherPodsProveThatAJobWillBeComplete(t *testing.T) {
	one := []*corev1.Pod{tracked(corev1.PodSucceeded)}
	cases := map[string]struct {
		job  *batchv1.Job
		pods []*corev1.Pod
		want bool
	}{
		"its pod succeeded":                   {ofOne(), one, true},
		"no pod":                              {ofOne(), nil, false},
		"its pod runs":                        {ofOne(), []*corev1.Pod{tracked(corev1.PodRunning)}, false},
		"its pod failed":                      {ofOne(), []*corev1.Pod{tracked(corev1.PodFailed)}, false},
		"one failed, its successor succeeded": {ofOne(), []*corev1.Pod{tracked(corev1.PodFailed), tracked(corev1.PodSucceeded)}, true},
		"more than it needs still run":        {ofOne(), []*corev1.Pod{tracked(corev1.PodSucceeded), tracked(corev1.PodRunning)}, false},
		"all of three": {ofOne(func(j *batchv1.Job) { j.Spec.Completions = new(int32(3)) }),
			[]*corev1.Pod{one[0], one[0], one[0]}, true},
		"two of three": {ofOne(func(j *batchv1.Job) { j.Spec.Completions = new(int32(3)) }),
			[]*corev1.Pod{one[0], one[0]}, false},
		"its pod succeeded, and is being deleted: it may count as failed": {ofOne(),
			[]*corev1.Pod{tracked(corev1.PodSucceeded, func(p *corev1.Pod) { p.DeletionTimestamp = &ended })}, false},
		"a pod that the Job controller does not count": {ofOne(),
			[]*corev1.Pod{tracked(corev1.PodSucceeded, func(p *corev1.Pod) { p.Finalizers = nil })}, false},

		"completions are not set":        {ofOne(func(j *batchv1.Job) { j.Spec.Completions = nil }), one, false},
		"completions are 0":              {ofOne(func(j *batchv1.Job) { j.Spec.Completions = new(int32(0)) }), one, false},
		"Indexed":                        {ofOne(func(j *batchv1.Job) { j.Spec.CompletionMode = new(batchv1.IndexedCompletion) }), one, false},
		"a deadline":                     {ofOne(func(j *batchv1.Job) { j.Spec.ActiveDeadlineSeconds = new(int64(600)) }), one, false},
		"a policy for failed pods":       {ofOne(func(j *batchv1.Job) { j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{} }), one, false},
		"a policy for success":           {ofOne(func(j *batchv1.Job) { j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{} }), one, false},
		"managed by the Job controller":  {ofOne(func(j *batchv1.Job) { j.Spec.ManagedBy = new(batchv1.JobControllerName) }), one, true},
		"managed by another":             {ofOne(func(j *batchv1.Job) { j.Spec.ManagedBy = new("example.com/queue") }), one, false},
		"suspended":                      {ofOne(suspended), one, false},
		"being deleted":                  {ofOne(func(j *batchv1.Job) { j.DeletionTimestamp = &ended }), one, false},
		"on its way to Failed":           {ofOne(condition(batchv1.JobFailureTarget, corev1.ConditionTrue, "", "")), one, false},
		"no longer on its way to Failed": {ofOne(condition(batchv1.JobFailureTarget, corev1.ConditionFalse, "", "")), one, true},
		"Complete already":               {ofOne(condition(batchv1.JobComplete, corev1.ConditionTrue, "", "")), one, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Observe(c.job, c.pods).Certain; got != c.want {
				t.Errorf("Certain is %t", got)
			}
		})
	}
}
