// Package cluster connects a test suite to the cluster that KUBECONFIG names.
package cluster

import (
	"context"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
)

// Cluster reads, writes and watches objects without a cache.
type Cluster struct {
	client.WithWatch
	// Clientset does what the client cannot: it reads logs, and discovers versions and resources.
	Clientset kubernetes.Interface

	namespaces []*corev1.Namespace
}

// Connect connects to the cluster, or fails with the make target that provides one.
func Connect(ctx context.Context, target string) *Cluster {
	GinkgoHelper()
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		Fail("KUBECONFIG is not set. Run these tests with make " + target + ", which starts a cluster and installs what they need.")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	// Log warnings of the API server in the output of the spec.
	log.SetLogger(GinkgoLogr)

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		Expect(add(scheme)).To(Succeed())
	}
	c := &Cluster{}
	c.WithWatch, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	c.Clientset, err = kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())

	version, err := c.Clientset.Discovery().ServerVersion()
	Expect(err).NotTo(HaveOccurred(), "the cluster of KUBECONFIG=%s does not answer; make %s starts one", kubeconfig, target)
	testkit.Saw("Kubernetes %s with the nodes %v", version.GitVersion, sets.List(c.Nodes(ctx)))
	return c
}

// Nodes returns the names of all nodes.
func (c *Cluster) Nodes(ctx context.Context) sets.Set[string] {
	GinkgoHelper()
	var nodes corev1.NodeList
	Expect(c.List(ctx, &nodes)).To(Succeed())
	names := sets.New[string]()
	for i := range nodes.Items {
		names.Insert(nodes.Items[i].Name)
	}
	return names
}
