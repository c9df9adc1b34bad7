package cluster

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
)

// NewNamespace creates a namespace that is deleted after the spec, or after the specs of
// an Ordered container. If a spec has failed, it first prints the content of the namespace.
func (c *Cluster) NewNamespace(ctx context.Context, prefix string) string {
	GinkgoHelper()
	namespace := c.CreateNamespace(ctx, prefix)
	DeferCleanup(func(ctx SpecContext) { c.DeleteNamespace(ctx, namespace) })
	return namespace
}

// CreateNamespace creates a namespace that the caller deletes.
func (c *Cluster) CreateNamespace(ctx context.Context, prefix string) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
	Expect(c.Create(ctx, namespace)).To(Succeed())
	c.namespaces = append(c.namespaces, namespace)
	return namespace.Name
}

// DeleteNamespace deletes a namespace, and does not wait until it is gone, so that the next
// spec can begin. If the spec has failed, it first prints the content of the namespace.
func (c *Cluster) DeleteNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	if CurrentSpecReport().Failed() {
		c.Show(ctx, name)
	}
	// Pods that ignore SIGTERM would keep the namespace for half a minute.
	Expect(c.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(name), client.GracePeriodSeconds(1))).To(Succeed())
	Expect(client.IgnoreNotFound(c.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))).To(Succeed())
}

// ExpectNamespacesGone waits until all namespaces that this Cluster created are gone. It fails
// if, for example, a finalizer of the operator blocks their deletion.
func (c *Cluster) ExpectNamespacesGone(ctx context.Context) {
	GinkgoHelper()
	for _, namespace := range c.namespaces {
		Eventually(ctx, func(ctx context.Context) bool {
			return apierrors.IsNotFound(c.Get(ctx, client.ObjectKeyFromObject(namespace), namespace))
		}).Should(BeTrue(), "namespace %s does not end", namespace.Name)
	}
}

// Show prints the state that one needs first to understand a failure.
func (c *Cluster) Show(ctx context.Context, namespace string) {
	GinkgoHelper()
	// The kinds are separate commands because the CRDs may not be installed.
	cli.Kubectl(ctx, "get", "jobs,pods", "--namespace", namespace, "--output", "wide")
	cli.Kubectl(ctx, "get", "jobflows,daemonjobs,jobtemplates", "--namespace", namespace, "--output", "wide")
	cli.Kubectl(ctx, "get", "events", "--namespace", namespace, "--sort-by", ".metadata.creationTimestamp")
	cli.Kubectl(ctx, "get", "nodes")
	cli.Kubectl(ctx, "get", "pods", "--all-namespaces", "--selector", labels.Set(operatorLabels).String(), "--output", "wide")
	pods, err := c.OperatorPods(ctx)
	if err != nil {
		GinkgoWriter.Printf("  cannot list the operator's pods: %s\n", err)
	}
	for i := range pods {
		logs := []string{"logs", "--namespace", pods[i].Namespace, pods[i].Name, "--tail", "40"}
		cli.Kubectl(ctx, logs...)
		if statuses := pods[i].Status.ContainerStatuses; len(statuses) > 0 && statuses[0].RestartCount > 0 {
			cli.Kubectl(ctx, append(logs, "--previous")...)
		}
	}
}
