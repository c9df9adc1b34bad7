package jobs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

var daemonTolerations = []corev1.Toleration{
	{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute"},
	{Key: "node.kubernetes.io/unreachable", Operator: "Exists", Effect: "NoExecute"},
	{Key: "node.kubernetes.io/disk-pressure", Operator: "Exists", Effect: "NoSchedule"},
	{Key: "node.kubernetes.io/memory-pressure", Operator: "Exists", Effect: "NoSchedule"},
	{Key: "node.kubernetes.io/pid-pressure", Operator: "Exists", Effect: "NoSchedule"},
	{Key: "node.kubernetes.io/unschedulable", Operator: "Exists", Effect: "NoSchedule"},
}

func TestDaemonTolerations(t *testing.T) {
	own := corev1.Toleration{Key: "dedicated", Operator: "Equal", Value: "gpu", Effect: "NoSchedule"}
	cases := map[string]struct {
		hostNetwork bool
		own, want   []corev1.Toleration
	}{
		"none of its own": {
			want: daemonTolerations,
		},
		"one of its own comes first": {
			own:  []corev1.Toleration{own},
			want: append([]corev1.Toleration{own}, daemonTolerations...),
		},
		"no second one of the same": {
			own:  daemonTolerations[1:2],
			want: append([]corev1.Toleration{daemonTolerations[1], daemonTolerations[0]}, daemonTolerations[2:]...),
		},
		"a time limit is removed": {
			own:  []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: ptr.To[int64](30)}},
			want: daemonTolerations,
		},
		"host network": {
			hostNetwork: true,
			want:        append(daemonTolerations[:6:6], corev1.Toleration{Key: "node.kubernetes.io/network-unavailable", Operator: "Exists", Effect: "NoSchedule"}),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dj := newDaemonJob(template(func(s *batchv1.JobSpec) {
				s.Template.Spec.HostNetwork = c.hostNetwork
				s.Template.Spec.Tolerations = c.own
			}))
			if diff := cmp.Diff(c.want, DaemonPodSpec(dj).Tolerations); diff != "" {
				t.Errorf("tolerations (-want +got):\n%s", diff)
			}
		})
	}
}
