package jobs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// maxMessage is the largest number of characters of a message in status. Each of up to
// 1,000 steps has one.
const maxMessage = 256

// queueLabel is Kueue's label for the queue of a Job.
const queueLabel = "kueue.x-k8s.io/queue-name"

// State is what a Job and its pods show about a step or node.
type State struct {
	Name string
	UID  types.UID

	// Phase is Waiting (held up), Running, Succeeded or Failed.
	Phase           v1alpha1.Phase
	Reason, Message string

	// StartTime is the Job's creation.
	StartTime metav1.Time
	// CompletionTime is when the Job became Succeeded or Failed; nil before that.
	CompletionTime *metav1.Time

	// Certain is true if the Job has not ended, and its pods prove that it will succeed.
	Certain bool
	// Deleting is true when the Job has a deletion timestamp.
	Deleting bool
	// Suspended is true when spec.suspend is.
	Suspended bool

	// Job is the Job itself, which must not be changed.
	Job *batchv1.Job
}

// Observe reads a Job and its pods.
func Observe(job *batchv1.Job, pods []*corev1.Pod) State {
	state := State{
		Name:      job.Name,
		UID:       job.UID,
		StartTime: job.CreationTimestamp,
		Deleting:  job.DeletionTimestamp != nil,
		Suspended: ptr.Deref(job.Spec.Suspend, false),
		Job:       job,
	}
	switch end := findEnd(job); {
	case end != nil && end.Type == batchv1.JobComplete:
		state.Phase = v1alpha1.PhaseSucceeded
		state.CompletionTime = completionTime(job, end)
	case end != nil:
		state.Phase, state.Reason, state.Message = v1alpha1.PhaseFailed, end.Reason, Clip(end.Message)
		state.CompletionTime = completionTime(job, end)
	case state.Suspended:
		state.Phase = v1alpha1.PhaseWaiting
		state.Reason, state.Message = explainSuspension(job)
	default:
		state.Phase = v1alpha1.PhaseRunning
		state.Certain = completionCertain(job, pods)
		if hold := chooseHold(pods); hold != nil {
			state.Phase, state.Reason, state.Message = v1alpha1.PhaseWaiting, hold.reason, hold.message()
		}
	}
	return state
}

// Clip turns a message into one line and cuts it to the size that status allows. It also
// replaces what is not UTF-8, which is not stored as it is: the status that comes back would
// differ from the computed one, and would be written in every reconcile.
func Clip(s string) string { return ClipTo(s, maxMessage) }

// ClipTo does the same for another number of characters.
func ClipTo(s string, limit int) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "\uFFFD")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// findEnd returns the condition with which the Job has ended, or nil. SuccessCriteriaMet and
// FailureTarget come earlier, while pods still run. Counters prove nothing, since a policy
// may succeed or fail a Job at any count.
func findEnd(job *batchv1.Job) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		c := &job.Status.Conditions[i]
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return c
		}
	}
	return nil
}

// completionTime returns status.completionTime or, for a Job that failed and has none, the
// time of the condition.
func completionTime(job *batchv1.Job, end *batchv1.JobCondition) *metav1.Time {
	if job.Status.CompletionTime != nil {
		return job.Status.CompletionTime.DeepCopy()
	}
	if end.LastTransitionTime.IsZero() {
		return nil
	}
	return end.LastTransitionTime.DeepCopy()
}

// explainSuspension returns who holds a Job whose spec.suspend is true.
func explainSuspension(job *batchv1.Job) (reason, message string) {
	if _, ok := job.Annotations[v1alpha1.SuspendedAnnotation]; ok {
		return v1alpha1.ReasonSuspended, fmt.Sprintf("spec.suspend of the %s is true", job.Labels[v1alpha1.KindLabel])
	}
	if queue := job.Labels[queueLabel]; queue != "" {
		return v1alpha1.ReasonQueued, Clip(fmt.Sprintf("waits in queue %s: spec.suspend of Job %s is true", queue, job.Name))
	}
	return v1alpha1.ReasonQueued, Clip(fmt.Sprintf("spec.suspend of Job %s is true; it starts when a queue or a person sets that to false", job.Name))
}
