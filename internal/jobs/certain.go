package jobs

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// certain says whether the pods of a Job prove that it cannot but become Complete.
// The Job controller says so itself only about a second later, since it gathers the
// ends of pods. docs/design/start-on.md derives the rule from that controller's own
// and names the Jobs for which it is not offered.
//
// pods are those that the Job controls, by its UID. That some are missing, or seen
// late, only makes the answer no.
func certain(job *batchv1.Job, pods []*corev1.Pod) bool {
	if !provable(job) {
		return false
	}
	var succeeded int32
	for _, pod := range pods {
		// What is being deleted may have been counted as failed, whatever becomes of it.
		if pod.DeletionTimestamp != nil {
			return false
		}
		switch pod.Status.Phase {
		case corev1.PodSucceeded:
			// Without the finalizer it was counted already, which then says more than we
			// know, or is a pod that the Job controller does not count at all.
			if slices.Contains(pod.Finalizers, batchv1.JobTrackingFinalizer) {
				succeeded++
			}
		case corev1.PodFailed:
		default:
			return false
		}
	}
	return succeeded >= *job.Spec.Completions
}

// provable says whether nothing but its pods decides how the Job ends.
func provable(job *batchv1.Job) bool {
	spec := &job.Spec
	return ptr.Deref(spec.Completions, 0) > 0 && // else the Job controller waits for pods that are not there yet
		ptr.Deref(spec.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.NonIndexedCompletion &&
		spec.ActiveDeadlineSeconds == nil && // may pass before the Job controller looks
		spec.PodFailurePolicy == nil && // may fail the Job for a pod that failed before
		spec.SuccessPolicy == nil &&
		ptr.Deref(spec.ManagedBy, batchv1.JobControllerName) == batchv1.JobControllerName &&
		!ptr.Deref(spec.Suspend, false) &&
		job.DeletionTimestamp == nil &&
		!slices.ContainsFunc(job.Status.Conditions, failing)
}

// failing says whether the Job is Failed or on its way there.
func failing(c batchv1.JobCondition) bool {
	return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobFailed || c.Type == batchv1.JobFailureTarget)
}
