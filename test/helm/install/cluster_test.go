package install_test

import (
	"context"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// helm is the one that make has built.
func helm(ctx context.Context, arguments ...string) cli.Output {
	GinkgoHelper()
	return cli.Run(ctx, "", repository.Path("bin/helm"), arguments...)
}

// specPrefix begins the names of the specs' namespaces.
const specPrefix = "test-helm-"

// added returns the objects that have appeared in the cluster since before the first
// installation. It leaves out those in the namespaces of specs.
func added(ctx context.Context) ([]string, error) {
	now, err := k8s.Inventory(ctx)
	var objects []string
	for object := range now.Difference(before) {
		if !strings.Contains(object, " "+specPrefix) {
			objects = append(objects, object)
		}
	}
	return objects, err
}

// runs expects that a JobFlow gets to its end.
func runs(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, flows.New(namespace, name, flows.Step("first", "true"), flows.Step("last", "true", "first")))).To(Succeed())
	succeeds(ctx, namespace, "jobflow/"+name)
}

func succeeds(ctx context.Context, namespace, object string) {
	GinkgoHelper()
	cli.Kubectl(ctx, "wait", "--for=condition=Complete", "--timeout=2m", "--namespace", namespace, object).Succeeded()
	expectSucceeded(ctx, namespace, object)
}

func expectSucceeded(ctx context.Context, namespace, object string) {
	GinkgoHelper()
	state := cli.Kubectl(ctx, "get", object, "--namespace", namespace, "--output", "jsonpath={.status.state}").Succeeded()
	Expect(state.Stdout).To(Equal("Succeed"))
}

// image is IMG in two parts, as the chart wants it.
func image() (repository, tag string) {
	GinkgoHelper()
	name := os.Getenv("IMG")
	i := strings.LastIndex(name, ":")
	if i < 0 || strings.Contains(name[i:], "/") || strings.Contains(name, "@") {
		Fail("IMG has to be the operator's image with its tag, not " + name)
	}
	return name[:i], name[i+1:]
}
