package cluster

import (
	"context"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var (
	// k8s reads, writes and watches, past every cache.
	k8s client.WithWatch
	// health asks the API server how it is.
	health rest.Interface
)

func connect() {
	GinkgoHelper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k8s, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	config.NegotiatedSerializer = clientgoscheme.Codecs
	health, err = rest.UnversionedRESTClientFor(config)
	Expect(err).NotTo(HaveOccurred())
}

// apiServerReady is an error while the API server or its etcd are not ready.
func apiServerReady(ctx context.Context) error {
	return health.Get().AbsPath("/readyz").Do(ctx).Error()
}

// awaitNode waits until the cluster takes a node for ready, or for lost.
func awaitNode(ctx context.Context, name string, status corev1.ConditionStatus) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]corev1.NodeCondition, error) {
		var node corev1.Node
		err := k8s.Get(ctx, client.ObjectKey{Name: name}, &node)
		return node.Status.Conditions, err
	}).WithTimeout(awaited).Should(ContainElement(And(
		HaveField("Type", corev1.NodeReady),
		HaveField("Status", status),
	)), "node %s", name)
}
