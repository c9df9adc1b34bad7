package jobs

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// addDaemonTolerations adds the tolerations that the DaemonSet controller adds to its pods:
// they stay on a node that becomes unhealthy, and cordoned nodes and nodes under resource
// pressure are not left out.
func addDaemonTolerations(pod *corev1.PodSpec) {
	tolerate := func(key string, effect corev1.TaintEffect) {
		toleration := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: effect}
		i := slices.IndexFunc(pod.Tolerations, func(t corev1.Toleration) bool { return toleration.MatchToleration(&t) })
		if i < 0 {
			pod.Tolerations = append(pod.Tolerations, toleration)
			return
		}
		// As in a DaemonSet, a toleration with a time limit becomes one without.
		pod.Tolerations[i] = toleration
	}
	tolerate(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute)
	tolerate(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute)
	tolerate(corev1.TaintNodeDiskPressure, corev1.TaintEffectNoSchedule)
	tolerate(corev1.TaintNodeMemoryPressure, corev1.TaintEffectNoSchedule)
	tolerate(corev1.TaintNodePIDPressure, corev1.TaintEffectNoSchedule)
	tolerate(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule)
	if pod.HostNetwork {
		tolerate(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule)
	}
}
