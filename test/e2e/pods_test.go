package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// podNames are the names of all pods of a namespace.
func podNames(ctx context.Context, namespace string) ([]string, error) {
	var pods corev1.PodList
	err := k8s.List(ctx, &pods, client.InNamespace(namespace))
	var names []string
	for i := range pods.Items {
		names = append(names, pods.Items[i].Name)
	}
	return names, err
}

// logsOf is what a container of a pod printed.
func logsOf(ctx context.Context, pod *corev1.Pod, container string) string {
	GinkgoHelper()
	logs, err := clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	GinkgoWriter.Printf("  logs of %s/%s\n%s", pod.Name, container, indent(string(logs)))
	return string(logs)
}

// ranFromTo is when the container of a pod that has ended started and ended.
func ranFromTo(pod *corev1.Pod) (start, end time.Time) {
	terminated := pod.Status.ContainerStatuses[0].State.Terminated
	return terminated.StartedAt.Time, terminated.FinishedAt.Time
}

// expectOrder checks that no container of a step started before those of the steps
// that it depends on had ended.
func expectOrder(flow *v1alpha1.JobFlow, seen *record) {
	GinkgoHelper()
	job := func(step string) string { return run(flow.Status.Flows, step).JobName }
	for i := range flow.Spec.Flows {
		for _, pod := range seen.endedPodsOf(job(flow.Spec.Flows[i].Name)) {
			start, end := ranFromTo(pod)
			saw("%s ran from %s to %s on %s", pod.Name, start.Format(time.TimeOnly), end.Format(time.TimeOnly), pod.Spec.NodeName)
			for _, dependency := range flow.Spec.Flows[i].Dependencies {
				for _, before := range seen.endedPodsOf(job(dependency)) {
					_, ended := ranFromTo(before)
					Expect(start).NotTo(BeTemporally("<", ended), "%s started before %s had ended", pod.Name, before.Name)
				}
			}
		}
	}
}
