package install_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// root is the repository's.
var root = filepath.Join("..", "..", "..")

// output is what a command printed.
type output struct {
	stdout, stderr string
	failed         bool
}

// kubectl runs it as a person would.
func kubectl(ctx context.Context, arguments ...string) output {
	GinkgoHelper()
	return run(ctx, "", "kubectl", arguments...)
}

// helm is the one that make has built.
func helm(ctx context.Context, arguments ...string) output {
	GinkgoHelper()
	return run(ctx, "", filepath.Join(root, "bin", "helm"), arguments...)
}

func run(ctx context.Context, stdin, program string, arguments ...string) output {
	GinkgoHelper()
	command := exec.CommandContext(ctx, program, arguments...)
	var stdout, stderr strings.Builder
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		Fail("running " + program + ", which make test-helm provides: " + err.Error())
	}
	result := output{stdout: stdout.String(), stderr: stderr.String(), failed: err != nil}
	text := strings.TrimSpace(result.stdout + result.stderr)
	GinkgoWriter.Printf("  $ %s %s\n    %s\n", filepath.Base(program), strings.Join(arguments, " "), strings.ReplaceAll(text, "\n", "\n    "))
	return result
}

// succeeded is the output, of which nothing else is expected than success.
func (o output) succeeded() output {
	GinkgoHelper()
	Expect(o.failed).To(BeFalse(), "the command failed: %s", o.stderr)
	return o
}

// listOf are all objects of a kind, as far as their metadata goes.
func listOf(ctx context.Context, groupVersion, kind string) []metav1.PartialObjectMetadata {
	GinkgoHelper()
	version, err := schema.ParseGroupVersion(groupVersion)
	Expect(err).NotTo(HaveOccurred())
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(version.WithKind(kind + "List"))
	err = k8s.List(ctx, list)
	// The kind may have gone since it was discovered.
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	return list.Items
}

func contains(all []string, one string) bool { return slices.Contains(all, one) }

const specPrefix = "test-helm-"

func ofSpecs(namespace string) bool { return strings.HasPrefix(namespace, specPrefix) }

// newNamespace is for a spec, or a row of them, and is gone when these are over.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: specPrefix}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		if CurrentSpecReport().Failed() {
			kubectl(ctx, "get", "jobs,pods", "--namespace", namespace.Name, "--output", "wide")
			kubectl(ctx, "get", "pods", "--namespace", operatorNamespace, "--output", "wide")
			kubectl(ctx, "logs", "--namespace", operatorNamespace, "deployment/"+operatorName, "--tail", "40")
		}
		kubectl(ctx, "delete", "namespace", namespace.Name, "--wait=false").succeeded()
	})
	return namespace.Name
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
