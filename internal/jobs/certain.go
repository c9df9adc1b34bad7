package jobs

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// completionCertain reports whether the pods of a Job prove that it will become Complete.
// The Job controller batches pod updates, so its condition comes only about a second later.
// docs/design/start-on.md derives the rule from that controller's code and lists the Jobs
// that it does not cover.
//
// pods are those that the Job controls, by its UID. If some are missing or stale, the
// result is only more cautious.
func completionCertain(job *batchv1.Job, pods []*corev1.Pod) bool {
	if !decidedByPods(job) {
		return false
	}
	var succeeded int32
	for _, pod := range pods {
		// A pod that is being deleted may already count as failed, however it ends.
		if pod.DeletionTimestamp != nil {
			return false
		}
		switch pod.Status.Phase {
		case corev1.PodSucceeded:
			// A pod without the finalizer is already counted in the Job's status, or the
			// Job controller does not count it at all.
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

// decidedByPods reports whether nothing but its pods decides how the Job ends.
func decidedByPods(job *batchv1.Job) bool {
	spec := &job.Spec
	return ptr.Deref(spec.Completions, 0) > 0 && // else the Job controller may wait for pods that do not exist yet
		ptr.Deref(spec.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.NonIndexedCompletion &&
		spec.ActiveDeadlineSeconds == nil && // may pass before the Job controller syncs the Job
		spec.PodFailurePolicy == nil && // may fail the Job because of an earlier pod failure
		spec.SuccessPolicy == nil &&
		ptr.Deref(spec.ManagedBy, batchv1.JobControllerName) == batchv1.JobControllerName &&
		!ptr.Deref(spec.Suspend, false) &&
		job.DeletionTimestamp == nil &&
		!slices.ContainsFunc(job.Status.Conditions, isFailing)
}

// isFailing reports whether the condition makes the Job Failed, now or soon.
func isFailing(c batchv1.JobCondition) bool {
	return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobFailed || c.Type == batchv1.JobFailureTarget)
}
