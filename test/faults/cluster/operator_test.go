package cluster

import (
	"context"
	"fmt"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
)

// operator names the Deployment, and lease what its replicas compete for.
var operator, lease client.ObjectKey

func findOperator(ctx context.Context) {
	GinkgoHelper()
	operator = client.ObjectKeyFromObject(k8s.Operator(ctx))
	lease = client.ObjectKey{Namespace: operator.Namespace, Name: cluster.LeaseName}
}

// patchOperator changes the Deployment and waits for the rollout. Pods on their way out
// may still answer then.
func patchOperator(ctx context.Context, change func(*appsv1.Deployment)) {
	GinkgoHelper()
	changeOperator(ctx, change)
	awaitOperator(ctx)
}

// changeOperator changes the Deployment, and returns it as it was.
func changeOperator(ctx context.Context, change func(*appsv1.Deployment)) *appsv1.Deployment {
	GinkgoHelper()
	deployment := &appsv1.Deployment{}
	Expect(k8s.Get(ctx, operator, deployment)).To(Succeed())
	before := deployment.DeepCopy()
	change(deployment)
	Expect(k8s.Patch(ctx, deployment, client.MergeFrom(before))).To(Succeed())
	return before
}

// awaitOperator waits until all replicas of the operator are there and ready, one of
// them leads, and admission answers.
func awaitOperator(ctx context.Context) {
	GinkgoHelper()
	// A container that has died several times is started late.
	Eventually(ctx, operatorReady).WithTimeout(awaited).Should(Succeed())
}

func operatorReady(ctx context.Context) error {
	var deployment appsv1.Deployment
	if err := k8s.Get(ctx, operator, &deployment); err != nil {
		return err
	}
	status, want := deployment.Status, ptr.Deref(deployment.Spec.Replicas, 1)
	if status.ObservedGeneration != deployment.Generation || status.Replicas != want || status.UpdatedReplicas != want || status.AvailableReplicas != want {
		return fmt.Errorf("the operator is not rolled out: %+v", status)
	}
	pods, err := k8s.OperatorPods(ctx)
	if err != nil {
		return err
	}
	if len(pods) != int(want) {
		return fmt.Errorf("the operator has %d pods", len(pods))
	}
	if _, err := leader(ctx); err != nil {
		return err
	}
	return k8s.AskAdmission(ctx, "default")
}

// leader is the pod whose process holds the lease.
func leader(ctx context.Context) (*corev1.Pod, error) {
	var held coordinationv1.Lease
	if err := k8s.Get(ctx, lease, &held); err != nil {
		return nil, err
	}
	pods, err := k8s.OperatorPods(ctx)
	if err != nil {
		return nil, err
	}
	for i := range pods {
		if podOf(holder(&held)) == pods[i].Name {
			return &pods[i], nil
		}
	}
	return nil, fmt.Errorf("none of the operator's pods holds the lease, but %q", holder(&held))
}

func holder(held *coordinationv1.Lease) string { return ptr.Deref(held.Spec.HolderIdentity, "") }

// podOf is the pod of a holder of the lease: the identity is its name and something
// that is new with each process.
func podOf(identity string) string {
	pod, _, _ := strings.Cut(identity, "_")
	return pod
}

func awaitLeader(ctx context.Context) *corev1.Pod {
	GinkgoHelper()
	var pod *corev1.Pod
	Eventually(ctx, func(ctx context.Context) (err error) {
		pod, err = leader(ctx)
		return err
	}).Should(Succeed())
	return pod
}

// kill ends the operator's process in a pod with SIGKILL, as the kernel would: nothing
// is given back, and the API server hears of it from the kubelet only.
func kill(pod *corev1.Pod) {
	GinkgoHelper()
	pids := processesOf(pod.Status.ContainerStatuses[0].ContainerID)
	Expect(pids).To(HaveLen(1), "processes of pod %s", pod.Name)
	Expect(syscall.Kill(pids[0], syscall.SIGKILL)).To(Succeed())
	testkit.Saw("pod %s on %s: killed pid %d", pod.Name, pod.Spec.NodeName, pids[0])
}

// restarts are how often the containers of the operator's pods were started anew.
func restarts(ctx context.Context) map[string]int32 {
	GinkgoHelper()
	pods, err := k8s.OperatorPods(ctx)
	Expect(err).NotTo(HaveOccurred())
	counts := map[string]int32{}
	for i := range pods {
		for _, container := range pods[i].Status.ContainerStatuses {
			counts[pods[i].Name] += container.RestartCount
		}
	}
	return counts
}

// since is how many restarts there were more, in pods that are still there.
func since(before, now map[string]int32) (count int32) {
	for pod, restarts := range now {
		count += restarts - before[pod]
	}
	return count
}
