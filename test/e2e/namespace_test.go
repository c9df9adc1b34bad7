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

// namespaces are those of this run.
var namespaces []*corev1.Namespace

// newNamespace makes a namespace that is deleted after the spec. What is in it is
// shown when the spec fails.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := makeNamespace(ctx, "e2e-")
	DeferCleanup(func(ctx SpecContext) { deleteNamespace(ctx, namespace) }, NodeTimeout(time.Minute))
	return namespace.Name
}

func makeNamespace(ctx context.Context, prefix string) *corev1.Namespace {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	namespaces = append(namespaces, namespace)
	return namespace
}

// deleteNamespace does not wait: the next spec may begin.
func deleteNamespace(ctx context.Context, namespace *corev1.Namespace) {
	GinkgoHelper()
	if CurrentSpecReport().Failed() {
		show(ctx, namespace.Name)
	}
	// Pods that ignore SIGTERM would keep the namespace for half a minute.
	Expect(k8s.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(namespace.Name), client.GracePeriodSeconds(1))).To(Succeed())
	Expect(k8s.Delete(ctx, namespace)).To(Succeed())
}

func show(ctx context.Context, namespace string) {
	GinkgoHelper()
	kubectl(ctx, "get", "jobflows,daemonjobs,jobtemplates,jobs,pods", "--namespace", namespace, "--output", "wide")
	kubectl(ctx, "get", "events", "--namespace", namespace, "--sort-by", ".metadata.creationTimestamp")
	kubectl(ctx, "logs", "--namespace", operator.Namespace, "deployment/"+operator.Name, "--tail", "30")
}

// Nothing of ours keeps a namespace from ending.
var _ = AfterSuite(func(ctx SpecContext) {
	if published.end != nil {
		published.end(ctx)
	}
	for _, namespace := range namespaces {
		Eventually(ctx, func(ctx context.Context) bool {
			return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(namespace), namespace))
		}).Should(BeTrue(), "namespace %s does not end", namespace.Name)
	}
}, NodeTimeout(3*time.Minute))
