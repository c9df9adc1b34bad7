package cluster

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
)

// PodNames returns the names of all pods of a namespace.
func (c *Cluster) PodNames(ctx context.Context, namespace string) ([]string, error) {
	var pods corev1.PodList
	err := c.List(ctx, &pods, client.InNamespace(namespace))
	var names []string
	for i := range pods.Items {
		names = append(names, pods.Items[i].Name)
	}
	return names, err
}

// Logs returns the logs of a container of a pod.
func (c *Cluster) Logs(ctx context.Context, pod *corev1.Pod, container string) string {
	GinkgoHelper()
	logs, err := c.Clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	testkit.Saw("logs of %s/%s\n%s", pod.Name, container, cli.Indent(string(logs)))
	return string(logs)
}

// Release waits until the pods of Jobs run, and then ends their script, flows.Hold.
func (c *Cluster) Release(ctx context.Context, namespace string, jobs ...string) {
	GinkgoHelper()
	for _, job := range jobs {
		var pods corev1.PodList
		Eventually(ctx, func(ctx context.Context) ([]corev1.Pod, error) {
			err := c.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{batchv1.JobNameLabel: job})
			return pods.Items, err
		}).Should(And(Not(BeEmpty()), HaveEach(HaveField("Status.Phase", corev1.PodRunning))), "pods of Job %s", job)
		for i := range pods.Items {
			cli.Kubectl(ctx, "exec", "--namespace", namespace, pods.Items[i].Name, "--", "touch", "/tmp/end").Succeeded()
		}
	}
}
