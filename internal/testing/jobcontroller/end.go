// Package jobcontroller stands in for the Job controller where none runs.
package jobcontroller

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
)

// EndCreated waits until the operator has created a Job, and ends the Job.
func EndCreated(ctx context.Context, c client.Client, key client.ObjectKey, end batchv1.JobConditionType, reason string) error {
	return wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, limit.Hang, true, func(ctx context.Context) (bool, error) {
		job := &batchv1.Job{}
		if err := c.Get(ctx, key, job); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		End(job, end, reason, "")
		err := c.Status().Update(ctx, job)
		if apierrors.IsConflict(err) {
			return false, nil // The operator updated the Job: read it again.
		}
		return err == nil, err
	})
}

// End sets the status that the Job controller sets when a Job ends as JobComplete or JobFailed.
// The Job controller writes the first of the two conditions in an earlier update; no test
// depends on that.
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
