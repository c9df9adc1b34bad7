package jobs

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func newPod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.PodStatus{Phase: corev1.PodPending}}
	for _, f := range change {
		f(pod)
	}
	return pod
}

func phase(p corev1.PodPhase) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Status.Phase = p }
}

func scheduled(status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: status, Reason: reason, Message: message,
		})
	}
}

func unschedulable(message string) func(*corev1.Pod) {
	return scheduled(corev1.ConditionFalse, "Unschedulable", message)
}

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: "main", Image: "busybox:nope",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}
}

func container(statuses ...corev1.ContainerStatus) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Status.ContainerStatuses = statuses }
}

func initContainer(statuses ...corev1.ContainerStatus) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Status.InitContainerStatuses = statuses }
}

func deleting(pod *corev1.Pod) { pod.DeletionTimestamp = &ended }

func gated(names ...string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		for _, name := range names {
			pod.Spec.SchedulingGates = append(pod.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: name})
		}
		scheduled(corev1.ConditionFalse, corev1.PodReasonSchedulingGated, "Scheduling is blocked due to non-empty scheduling gates")(pod)
	}
}

func TestObserveThePods(t *testing.T) {
	running := corev1.ContainerStatus{Name: "other", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	type pods = []*corev1.Pod
	type result struct {
		Phase           v1alpha1.Phase
		Reason, Message string
	}
	runs := result{Phase: v1alpha1.PhaseRunning}
	waits := func(reason, message string) result { return result{v1alpha1.PhaseWaiting, reason, message} }

	cases := map[string]struct {
		pods pods
		want result
	}{
		"none yet":     {nil, runs},
		"just created": {pods{newPod("a")}, runs},
		"scheduled":    {pods{newPod("a", scheduled(corev1.ConditionTrue, "", ""))}, runs},
		"containers being created": {
			pods{newPod("a", container(waiting("ContainerCreating", "")))}, runs,
		},
		"init containers first": {
			pods{newPod("a", initContainer(running), container(waiting("PodInitializing", "")))}, runs,
		},
		"running": {
			pods{newPod("a", phase(corev1.PodRunning), container(running))}, runs,
		},
		"a sidecar that crashes holds nothing up": {
			pods{newPod("a", phase(corev1.PodRunning), initContainer(waiting("CrashLoopBackOff", "")), container(running))}, runs,
		},
		"unschedulable": {
			pods{newPod("a", unschedulable("0/3 nodes are available: 3 Insufficient cpu."))},
			waits(v1alpha1.ReasonUnschedulable, "0/3 nodes are available: 3 Insufficient cpu. (pod a)"),
		},
		"not scheduled for an error of the scheduler": {
			pods{newPod("a", scheduled(corev1.ConditionFalse, "SchedulerError", "try again"))}, runs,
		},
		"another condition of that reason": {
			pods{newPod("a", func(p *corev1.Pod) {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "Unschedulable"}}
			})},
			runs,
		},
		"scheduling gates": {
			pods{newPod("a", gated("kueue.x-k8s.io/admission", "example.com/quota"))},
			waits(v1alpha1.ReasonQueued, "held by scheduling gate kueue.x-k8s.io/admission, example.com/quota (pod a)"),
		},
		"ErrImagePull": {
			pods{newPod("a", container(waiting("ErrImagePull", "rpc error: code = NotFound")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod a)`),
		},
		"ImagePullBackOff means the same": {
			pods{newPod("a", container(waiting("ImagePullBackOff", "Back-off pulling image")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod a)`),
		},
		"RegistryUnavailable means the same": {
			pods{newPod("a", container(waiting("RegistryUnavailable", "")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod a)`),
		},
		"SignatureValidationFailed means the same": {
			pods{newPod("a", container(waiting("SignatureValidationFailed", "")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod a)`),
		},
		"ImageInspectError means the same": {
			pods{newPod("a", container(waiting("ImageInspectError", "")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod a)`),
		},
		"image of an init container": {
			pods{newPod("a", initContainer(waiting("ErrImagePull", "")), container(waiting("PodInitializing", "")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod a)`),
		},
		"image of one container while another runs": {
			pods{newPod("a", phase(corev1.PodRunning), container(running, waiting("ErrImagePull", "")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod a)`),
		},
		"InvalidImageName": {
			pods{newPod("a", container(waiting("InvalidImageName", "")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" is not a valid name (pod a)`),
		},
		"ErrImageNeverPull": {
			pods{newPod("a", container(waiting("ErrImageNeverPull", "")))},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" is not on the node, and its imagePullPolicy is Never (pod a)`),
		},
		"CreateContainerConfigError": {
			pods{newPod("a", container(waiting("CreateContainerConfigError", `secret "db" not found`)))},
			waits(v1alpha1.ReasonContainerConfig, `container main cannot be created: secret "db" not found (pod a)`),
		},
		"CreateContainerError, whose message changes": {
			pods{newPod("a", container(waiting("CreateContainerError", "name is reserved for 0a1b2c")))},
			waits(v1alpha1.ReasonContainerConfig, "container main cannot be created: CreateContainerError (pod a)"),
		},
		"RunContainerError": {
			pods{newPod("a", container(waiting("RunContainerError", "")))},
			waits(v1alpha1.ReasonContainerConfig, "container main cannot be created: RunContainerError (pod a)"),
		},
		"one held up, one running": {
			pods{newPod("a", unschedulable("no")), newPod("b", phase(corev1.PodRunning), container(running))}, runs,
		},
		"one held up, one starting": {
			pods{newPod("a", unschedulable("no")), newPod("b", container(waiting("ContainerCreating", "")))}, runs,
		},
		"pods that have ended do not count": {
			pods{newPod("a", phase(corev1.PodFailed)), newPod("b", phase(corev1.PodSucceeded)), newPod("c", unschedulable("no"))},
			waits(v1alpha1.ReasonUnschedulable, "no (pod c)"),
		},
		"a pod that is deleted does not count": {
			pods{newPod("a", deleting, phase(corev1.PodRunning), container(running)), newPod("c", unschedulable("no"))},
			waits(v1alpha1.ReasonUnschedulable, "no (pod c)"),
		},
		"a pod that is deleted holds nothing up": {
			pods{newPod("a", deleting, unschedulable("no"))}, runs,
		},
		"only pods that have ended": {
			pods{newPod("a", phase(corev1.PodFailed), container(waiting("ErrImagePull", "")))}, runs,
		},
		"several of one reason: the first by name": {
			pods{newPod("b", unschedulable("second")), newPod("a", unschedulable("first")), newPod("c", unschedulable("third"))},
			waits(v1alpha1.ReasonUnschedulable, "first (pod a)"),
		},
		"several reasons: image before all": {
			pods{
				newPod("a", gated("gate")), newPod("b", unschedulable("no")),
				newPod("c", container(waiting("CreateContainerError", ""))), newPod("d", container(waiting("ErrImagePull", ""))),
			},
			waits(v1alpha1.ReasonImagePull, `image "busybox:nope" cannot be pulled (pod d)`),
		},
		"several reasons: container before scheduling": {
			pods{newPod("a", gated("gate")), newPod("b", unschedulable("no")), newPod("c", container(waiting("CreateContainerError", "")))},
			waits(v1alpha1.ReasonContainerConfig, "container main cannot be created: CreateContainerError (pod c)"),
		},
		"several reasons: scheduling before gates": {
			pods{newPod("a", gated("gate")), newPod("b", unschedulable("no"))},
			waits(v1alpha1.ReasonUnschedulable, "no (pod b)"),
		},
		"a long message still names the pod": {
			pods{newPod("a", unschedulable(strings.Repeat("node ", 100)))},
			waits(v1alpha1.ReasonUnschedulable, strings.Repeat("node ", 49)+"no… (pod a)"),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			observe := func(pods pods) result {
				s := Observe(newJob(), pods)
				return result{s.Phase, s.Reason, s.Message}
			}
			if diff := cmp.Diff(c.want, observe(c.pods)); diff != "" {
				t.Errorf("Observe() (-want +got):\n%s", diff)
			}
			slices.Reverse(c.pods)
			if diff := cmp.Diff(c.want, observe(c.pods)); diff != "" {
				t.Errorf("Observe() of the pods in another order (-want +got):\n%s", diff)
			}
		})
	}
}

// Somebody may make a pod with the longest name there is and the Job as its
// owner.
func TestHoldOfAPodWithTheLongestName(t *testing.T) {
	pod := newPod(strings.Repeat("a", 253), unschedulable(strings.Repeat("b", 300)))
	got := Observe(newJob(), []*corev1.Pod{pod}).Message
	if n := utf8.RuneCountInString(got); n > 256 {
		t.Errorf("%d characters: %q", n, got)
	}
}
