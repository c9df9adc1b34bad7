package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

// ranFromTo is when the container of a pod that has ended started and ended.
func ranFromTo(pod *corev1.Pod) (start, end time.Time) {
	terminated := pod.Status.ContainerStatuses[0].State.Terminated
	return terminated.StartedAt.Time, terminated.FinishedAt.Time
}

// expectOrder checks that no container of a step started before those of the steps
// that it depends on had ended.
func expectOrder(flow *v1alpha1.JobFlow, seen *record.Record) {
	GinkgoHelper()
	job := func(step string) string { return run(flow.Status.Flows, step).JobName }
	for i := range flow.Spec.Flows {
		for _, pod := range seen.EndedPodsOf(job(flow.Spec.Flows[i].Name)) {
			start, end := ranFromTo(pod)
			testkit.Saw("%s ran from %s to %s on %s", pod.Name, start.Format(time.TimeOnly), end.Format(time.TimeOnly), pod.Spec.NodeName)
			for _, dependency := range flow.Spec.Flows[i].Dependencies {
				for _, before := range seen.EndedPodsOf(job(dependency)) {
					_, ended := ranFromTo(before)
					Expect(start).NotTo(BeTemporally("<", ended), "%s started before %s had ended", pod.Name, before.Name)
				}
			}
		}
	}
}
