package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// hold is what keeps a pod from running.
type hold struct {
	pod    string
	reason string
	text   string
}

// message names the pod at the end, even if the text has to be cut.
func (h *hold) message() string {
	pod := " (pod " + ClipTo(h.pod, maxLength) + ")"
	return ClipTo(h.text, maxMessage-len(pod)) + pod
}

// chooseHold returns what holds up the pods. It returns nil if a pod runs or is starting, or if
// there are no pods. Pods that have ended or are being deleted do not count. The choice
// among several pods does not depend on their order, so that status does not change when
// nothing has changed.
func chooseHold(pods []*corev1.Pod) *hold {
	var holds []*hold
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		h := findHold(pod)
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
			cmp.Compare(v1alpha1.LookUpReason(a.reason).Rank, v1alpha1.LookUpReason(b.reason).Rank),
			strings.Compare(a.pod, b.pod),
		)
	})
}

func findHold(pod *corev1.Pod) *hold {
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
			if reason, text := findContainerHold(&statuses[i]); reason != "" {
				return &hold{pod.Name, reason, text}
			}
		}
	}
	return nil
}

// The kubelet's reasons for a container that waits for an image, and for one that cannot
// be created. Those of the first set alternate while the kubelet retries.
var (
	pullReasons   = sets.New("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed", "ImageInspectError")
	createReasons = sets.New("CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError")
)

// findContainerHold returns why a container waits, in the operator's words if the kubelet's
// message changes from one retry to the next: that message would be written to status every
// few seconds.
func findContainerHold(status *corev1.ContainerStatus) (reason, text string) {
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
		// This message names the ConfigMap, Secret or key, and does not change.
		return v1alpha1.ReasonContainerConfig, fmt.Sprintf("container %s cannot be created: %s", status.Name, waiting.Message)
	case createReasons.Has(waiting.Reason):
		return v1alpha1.ReasonContainerConfig, fmt.Sprintf("container %s cannot be created: %s", status.Name, waiting.Reason)
	}
	return "", ""
}

// PodState is what a pod adds to the state of its Job; no other change of the pod matters.
// The zero value is a pod that runs or is on its way.
type PodState struct {
	Deleting bool
	Ended    corev1.PodPhase // Succeeded, Failed, or empty
	Counted  bool            // it Succeeded, and the Job controller no longer tracks it
	hold     hold
}

// ObservePod reads a pod.
func ObservePod(pod *corev1.Pod) PodState {
	state := PodState{Deleting: pod.DeletionTimestamp != nil}
	switch pod.Status.Phase {
	case corev1.PodSucceeded:
		state.Ended, state.Counted = pod.Status.Phase, !slices.Contains(pod.Finalizers, batchv1.JobTrackingFinalizer)
	case corev1.PodFailed:
		state.Ended = pod.Status.Phase
	default:
		if h := findHold(pod); h != nil {
			state.hold = *h
		}
	}
	return state
}
