package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
)

// starve lowers the operator's memory limit until the kernel kills it, and then gives it
// back what it had. What it needs differs with the load, so that the first try is just
// below what it has in use.
func starve(ctx context.Context, t *trial, leader *corev1.Pod) {
	GinkgoHelper()
	var before *appsv1.Deployment
	used := memoryOf(leader)
	testkit.Saw("pod %s uses %d KiB", leader.Name, used>>10)
	for limit := used; ; limit = limit * 9 / 10 {
		began := time.Now()
		deployment := changeOperator(ctx, func(d *appsv1.Deployment) {
			// A rolling update would keep the old pod until the new one is ready.
			d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
			resources := &d.Spec.Template.Spec.Containers[0].Resources
			resources.Requests = corev1.ResourceList{}
			resources.Limits = corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(limit, resource.BinarySI)}
		})
		if before == nil {
			before = deployment
			DeferCleanup(func(ctx SpecContext) { feed(ctx, before) })
		}
		if pod := outOfMemory(ctx); pod != nil {
			t.part.Add("memory in use, and the limit at which the kernel killed it", fmt.Sprintf("%d and %d KiB", used>>10, limit>>10))
			t.part.Add("from the limit to the kill", seconds(time.Since(began)))
			t.part.Add("it led by then", podOf(t.record.leaderAfter(began).holder) == pod.Name)
			break
		}
		Expect(limit).To(BeNumerically(">", 4<<20), "nothing is killed at a limit of %d bytes", limit)
	}
	began := time.Now()
	feed(ctx, before)
	t.part.Add("from the old limit to an operator that is ready", seconds(time.Since(began)))
}

// memoryOf is what a pod's process has in memory that the kernel could not drop.
func memoryOf(pod *corev1.Pod) int64 {
	GinkgoHelper()
	pids := processesOf(pod.Status.ContainerStatuses[0].ContainerID)
	Expect(pids).To(HaveLen(1), "processes of pod %s", pod.Name)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pids[0]))
	Expect(err).NotTo(HaveOccurred())
	_, rest, found := strings.Cut(string(status), "RssAnon:")
	Expect(found).To(BeTrue(), "memory of pid %d", pids[0])
	var kibibytes int64
	_, err = fmt.Sscan(rest, &kibibytes)
	Expect(err).NotTo(HaveOccurred())
	return kibibytes << 10
}

// outOfMemory waits until the kernel has killed a pod of the operator for want of memory. It
// returns none once the operator works with the memory that it has.
func outOfMemory(ctx context.Context) (killed *corev1.Pod) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		pods, err := k8s.OperatorPods(ctx)
		if err != nil {
			return err
		}
		for i := range pods {
			for _, container := range pods[i].Status.ContainerStatuses {
				for _, state := range []corev1.ContainerState{container.LastTerminationState, container.State} {
					if state.Terminated != nil && state.Terminated.Reason == "OOMKilled" {
						testkit.Saw("pod %s: %s", pods[i].Name, state.Terminated)
						killed = &pods[i]
						return nil
					}
				}
			}
		}
		return operatorReady(ctx)
		// As in awaitOperator, a container that has died several times is started late.
	}).WithTimeout(awaited).Should(Succeed())
	return killed
}

// feed gives the operator its memory back.
func feed(ctx context.Context, before *appsv1.Deployment) {
	GinkgoHelper()
	patchOperator(ctx, func(d *appsv1.Deployment) {
		d.Spec.Strategy = before.Spec.Strategy
		d.Spec.Template.Spec.Containers[0].Resources = before.Spec.Template.Spec.Containers[0].Resources
	})
}
