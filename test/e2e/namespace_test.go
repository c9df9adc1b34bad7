package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// newNamespace makes a namespace that ends with the spec, and shows what is in it
// when the spec fails.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { deleteNamespace(ctx, namespace) }, NodeTimeout(3*time.Minute))
	return namespace.Name
}

func deleteNamespace(ctx context.Context, namespace *corev1.Namespace) {
	GinkgoHelper()
	if CurrentSpecReport().Failed() {
		kubectl(ctx, "get", "jobflows,daemonjobs,jobtemplates,jobs,pods", "--namespace", namespace.Name, "--output", "wide")
		kubectl(ctx, "get", "events", "--namespace", namespace.Name, "--sort-by", ".metadata.creationTimestamp")
		kubectl(ctx, "logs", "--namespace", operator.Namespace, "deployment/"+operator.Name, "--tail", "30")
	}
	// Pods that ignore SIGTERM would keep the namespace for half a minute.
	Expect(client.IgnoreNotFound(k8s.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(namespace.Name), client.GracePeriodSeconds(1)))).To(Succeed())
	Expect(client.IgnoreNotFound(k8s.Delete(ctx, namespace))).To(Succeed())
	Eventually(ctx, func(ctx context.Context) bool {
		return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(namespace), namespace))
	}).WithTimeout(2*time.Minute).Should(BeTrue(), "namespace %s does not end", namespace.Name)
}
