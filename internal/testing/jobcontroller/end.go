// Package jobcontroller stands in for the Job controller where none runs.
package jobcontroller

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// End gives a Job the status with which the Job controller ends it, as JobComplete or
// JobFailed. The Job controller writes the first of the two conditions earlier; nothing
// here depends on that.
func End(job *batchv1.Job, end batchv1.JobConditionType, reason, message string) {
	now := metav1.Now()
	if job.Status.StartTime == nil {
		job.Status.StartTime = &now
	}
	before := batchv1.JobFailureTarget
	if end == batchv1.JobComplete {
		before = batchv1.JobSuccessCriteriaMet
		job.Status.CompletionTime, job.Status.Succeeded = &now, ptr.Deref(job.Spec.Completions, 1)
	} else {
		job.Status.Failed = 1
	}
	for _, kind := range []batchv1.JobConditionType{before, end} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastProbeTime: now, LastTransitionTime: now,
		})
	}
}
