package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// maxMessage is the longest message, in characters, that goes into status. Each
// of up to 1,000 steps has one.
const maxMessage = 256

// queueLabel is the label by which Kueue knows the queue of a Job.
const queueLabel = "kueue.x-k8s.io/queue-name"

// State is what a Job and its pods say about a step or node.
type State struct {
	Name string
	UID  types.UID

	// Phase is Waiting (held up), Running, Succeeded or Failed.
	Phase           v1alpha1.Phase
	Reason, Message string

	// StartTime is the Job's creation.
	StartTime metav1.Time
	// CompletionTime is set once the Job is Succeeded or Failed and says when.
	CompletionTime *metav1.Time

	// Deleting is true when the Job has a deletion timestamp.
	Deleting bool
	// Suspended is true when spec.suspend is.
	Suspended bool
	// Started is true when the Job controller has taken the Job up and not
	// suspended it since.
	Started bool

	// Job is the Job itself, to be read only.
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
		Started:   job.Status.StartTime != nil,
		Job:       job,
	}
	switch end := endOf(job); {
	case end != nil && end.Type == batchv1.JobComplete:
		state.Phase = v1alpha1.PhaseSucceeded
		state.CompletionTime = completionTime(job, end)
	case end != nil:
		state.Phase, state.Reason, state.Message = v1alpha1.PhaseFailed, end.Reason, Clip(end.Message)
		state.CompletionTime = completionTime(job, end)
	case state.Suspended:
		state.Phase = v1alpha1.PhaseWaiting
		state.Reason, state.Message = suspension(job)
	default:
		state.Phase = v1alpha1.PhaseRunning
		if hold := heldUp(pods); hold != nil {
			state.Phase, state.Reason, state.Message = v1alpha1.PhaseWaiting, hold.reason, hold.message()
		}
	}
	return state
}

// Clip makes one line of a message and cuts it to what status holds.
func Clip(s string) string {
	return clip(s, maxMessage)
}

func clip(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// endOf is the condition that says that the Job has ended, or nil.
// SuccessCriteriaMet and FailureTarget come earlier, while pods still run; and
// counters say nothing, since a policy may succeed or fail a Job at any count.
func endOf(job *batchv1.Job) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		c := &job.Status.Conditions[i]
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return c
		}
	}
	return nil
}

// completionTime is status.completionTime, which a Job that failed does not
// have, or else the time of the condition.
func completionTime(job *batchv1.Job, end *batchv1.JobCondition) *metav1.Time {
	if job.Status.CompletionTime != nil {
		return job.Status.CompletionTime.DeepCopy()
	}
	if end.LastTransitionTime.IsZero() {
		return nil
	}
	return end.LastTransitionTime.DeepCopy()
}

// suspension says who holds a Job whose spec.suspend is true.
func suspension(job *batchv1.Job) (reason, message string) {
	if _, ok := job.Annotations[v1alpha1.SuspendedAnnotation]; ok {
		return v1alpha1.ReasonSuspended, fmt.Sprintf("spec.suspend of the %s is true", job.Labels[v1alpha1.KindLabel])
	}
	if queue := job.Labels[queueLabel]; queue != "" {
		return v1alpha1.ReasonQueued, Clip(fmt.Sprintf("waits in queue %s: spec.suspend of Job %s is true", queue, job.Name))
	}
	return v1alpha1.ReasonQueued, Clip(fmt.Sprintf("spec.suspend of Job %s is true, until a queue or a person sets it to false", job.Name))
}

// hold is what keeps a pod from running.
type hold struct {
	pod    string
	reason string
	text   string
}

// message names the pod at the end, also where the text has to be cut.
func (h *hold) message() string {
	pod := " (pod " + clip(h.pod, maxLength) + ")"
	return clip(h.text, maxMessage-len(pod)) + pod
}

// holdOrder ranks the reasons: first what stays until somebody mends it, last
// what may pass by itself.
var holdOrder = []string{
	v1alpha1.ReasonImagePull,
	v1alpha1.ReasonContainerConfig,
	v1alpha1.ReasonUnschedulable,
	v1alpha1.ReasonQueued,
}

// heldUp says what holds up the pods, or nil when one of them runs or is on its
// way, and when there are none. Pods that have ended or are being deleted say
// nothing about what comes next. Among several pods the choice does not depend
// on their order, so that status does not change when nothing has.
func heldUp(pods []*corev1.Pod) *hold {
	var holds []*hold
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		h := holdOf(pod)
		if h == nil {
			return nil
		}
		holds = append(holds, h)
	}
	if len(holds) == 0 {
		return nil
	}
	return slices.MinFunc(holds, func(a, b *hold) int {
		return cmp.Or(
			cmp.Compare(slices.Index(holdOrder, a.reason), slices.Index(holdOrder, b.reason)),
			strings.Compare(a.pod, b.pod),
		)
	})
}

func holdOf(pod *corev1.Pod) *hold {
	if len(pod.Spec.SchedulingGates) > 0 {
		gates := make([]string, 0, len(pod.Spec.SchedulingGates))
		for _, gate := range pod.Spec.SchedulingGates {
			gates = append(gates, gate.Name)
		}
		return &hold{pod.Name, v1alpha1.ReasonQueued, "held by scheduling gate " + strings.Join(gates, ", ")}
	}
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return &hold{pod.Name, v1alpha1.ReasonUnschedulable, c.Message}
		}
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			if reason, text := containerHold(&statuses[i]); reason != "" {
				return &hold{pod.Name, reason, text}
			}
		}
	}
	return nil
}

// The kubelet's words for a container that waits for an image, and for one that
// cannot be created. The first set are those that take turns while the kubelet
// tries again.
var (
	pullReasons   = sets.New("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed", "ImageInspectError")
	createReasons = sets.New("CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError")
)

// containerHold says in words of our own what a container waits for, wherever
// the kubelet's own message changes from one attempt to the next: it would be
// written to status every few seconds.
func containerHold(status *corev1.ContainerStatus) (reason, text string) {
	waiting := status.State.Waiting
	if waiting == nil {
		return "", ""
	}
	switch {
	case pullReasons.Has(waiting.Reason):
		return v1alpha1.ReasonImagePull, fmt.Sprintf("image %q cannot be pulled", status.Image)
	case waiting.Reason == "InvalidImageName":
		return v1alpha1.ReasonImagePull, fmt.Sprintf("image %q is not a valid name", status.Image)
	case waiting.Reason == "ErrImageNeverPull":
		return v1alpha1.ReasonImagePull, fmt.Sprintf("image %q is not on the node, and its imagePullPolicy is Never", status.Image)
	case waiting.Reason == "CreateContainerConfigError":
		// This message names the ConfigMap, Secret or key, and stays the same.
		return v1alpha1.ReasonContainerConfig, fmt.Sprintf("container %s cannot be created: %s", status.Name, waiting.Message)
	case createReasons.Has(waiting.Reason):
		return v1alpha1.ReasonContainerConfig, fmt.Sprintf("container %s cannot be created: %s", status.Name, waiting.Reason)
	}
	return "", ""
}
