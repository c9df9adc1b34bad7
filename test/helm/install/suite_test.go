// Package install_test installs the operator in a real cluster as its users do, with
// Helm and with kubectl apply -f dist/install.yaml, upgrades it in the middle of a
// JobFlow, and removes it again. "make test-helm" makes such a cluster, or uses that
// of KUBECONFIG.
//
// The cluster must not have the operator, nor its CRDs. It needs nodes that are
// named as in the samples, and the images busybox:1.28 and IMG.
package install_test

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var (
	k8s       client.Client
	clientset kubernetes.Interface
	// before is all that was in the cluster before anything was installed.
	before inventory
)

func TestInstall(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	suite, reporter := GinkgoConfiguration()
	// go test -v shows what the specs do while they do it.
	reporter.Verbose = testing.Verbose()
	RunSpecs(t, "Installing the operator", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	connect()
	for _, crd := range crds {
		if !kubectl(ctx, "get", "crd", crd).failed {
			Fail("The cluster has the CRD " + crd + " already. These tests install the operator and remove it, and every JobFlow with it. " +
				"If nobody needs them there: make undeploy.")
		}
	}
	before = takeInventory(ctx)
})

// crds are those of the operator.
var crds = []string{"daemonjobs.api.practice.com", "jobflows.api.practice.com", "jobtemplates.api.practice.com"}

func connect() {
	GinkgoHelper()
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		Fail("KUBECONFIG is not set. Run these tests with make test-helm, which starts a cluster.")
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
}

// saw tells the reader of the output what a spec saw.
func saw(format string, arguments ...any) {
	GinkgoWriter.Printf("  saw "+format+"\n", arguments...)
}

// inventory is what a cluster has: resource, namespace and name of every object.
type inventory map[string]bool

// takeInventory leaves out events, which come and go, and what is in the
// namespaces of specs.
func takeInventory(ctx context.Context) inventory {
	GinkgoHelper()
	lists, err := discovery.ServerPreferredResources(clientset.Discovery())
	Expect(err).NotTo(HaveOccurred())
	found := inventory{}
	for _, list := range lists {
		for _, resource := range list.APIResources {
			if resource.Name == "events" || !contains(resource.Verbs, "list") || !contains(resource.Verbs, "delete") {
				continue
			}
			for _, object := range listOf(ctx, list.GroupVersion, resource.Kind) {
				if !ofSpecs(object.Namespace) {
					found[resource.Name+" "+object.Namespace+"/"+object.Name] = true
				}
			}
		}
	}
	return found
}

// since is what there is now and was not then.
func since(then inventory) func(context.Context) []string {
	return func(ctx context.Context) []string {
		var added []string
		for object := range takeInventory(ctx) {
			if !then[object] {
				added = append(added, object)
			}
		}
		return added
	}
}
