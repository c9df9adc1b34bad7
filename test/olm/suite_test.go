// Package olm tests what OLM makes of the operator: it does what a user does, from
// the Subscription to the removal of everything. "make test-olm" makes a cluster with
// OLM in it for that, and the images.
//
// The specs use one cluster, one catalog and one namespace after another; each begins
// with a cluster without the operator, and leaves it so.
package olm

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var (
	// k8s reads and writes objects, past every cache.
	k8s client.Client
	// clientset watches.
	clientset kubernetes.Interface

	// The catalog's images: before the current version, with it, and with one after it.
	catalogReleased = os.Getenv("CATALOG_RELEASED")
	catalogCurrent  = os.Getenv("CATALOG_CURRENT")
	catalogNext     = os.Getenv("CATALOG_NEXT")

	current = "jobflow-operator." + os.Getenv("VERSION_CURRENT")
	next    = "jobflow-operator." + os.Getenv("VERSION_NEXT")
)

func TestOLM(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	EnforceDefaultTimeoutsWhenUsingContexts()

	suite, reporter := GinkgoConfiguration()
	// go test -v shows what the specs see while they see it.
	reporter.Verbose = testing.Verbose()
	// What a failed spec leaves is there to be looked at, and no place for the next.
	suite.FailFast = true
	RunSpecs(t, "The operator under OLM", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	if os.Getenv("KUBECONFIG") == "" || catalogCurrent == "" {
		Fail("Run these tests with make test-olm, which makes a cluster with OLM and the images that they need.")
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	clientset, err = kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())

	for _, object := range []string{source(fresh), source(older), "namespace/" + work, "namespace/" + namespace} {
		if field(ctx, object, "olm", "{.metadata.name}") != "" {
			Fail("The cluster has " + object + " from an earlier run. Take it down with make cluster-down, and run make test-olm again.")
		}
	}
})

// saw tells the reader of the output what a spec saw.
func saw(format string, arguments ...any) {
	GinkgoWriter.Printf("  saw "+format+"\n", arguments...)
}
