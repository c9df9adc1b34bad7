package e2e

import (
	"context"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var (
	// k8s reads and writes objects, past every cache.
	k8s client.Client
	// clientset does what k8s cannot: logs and watches.
	clientset kubernetes.Interface
)

// The nodes that the samples name.
const (
	minikube = "minikube"
	node1    = "node1"
	node2    = "node2"
)

func connect(ctx context.Context) {
	GinkgoHelper()
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		Fail("KUBECONFIG is not set. Run these tests with make test-e2e, which starts a cluster and installs the operator; " +
			"with KUBECONFIG set, make test-e2e uses that cluster.")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	clientset, err = kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())

	version, err := clientset.Discovery().ServerVersion()
	Expect(err).NotTo(HaveOccurred(), "the cluster of KUBECONFIG=%s does not answer; make test-e2e starts one", kubeconfig)
	saw("Kubernetes %s with the nodes %v", version.GitVersion, sets.List(nodeNames(ctx)))
}

func nodeNames(ctx context.Context) sets.Set[string] {
	GinkgoHelper()
	var nodes corev1.NodeList
	Expect(k8s.List(ctx, &nodes)).To(Succeed())
	names := sets.New[string]()
	for i := range nodes.Items {
		names.Insert(nodes.Items[i].Name)
	}
	return names
}

func needNodes(ctx context.Context, names ...string) {
	GinkgoHelper()
	if missing := sets.New(names...).Difference(nodeNames(ctx)); missing.Len() > 0 {
		Fail("This spec needs nodes that are named as in the samples; the cluster has none named " +
			sets.List(missing)[0] + ". Without KUBECONFIG, make test-e2e makes a cluster that has them.")
	}
}
