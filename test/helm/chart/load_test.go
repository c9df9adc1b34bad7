// Package chart_test looks at the Helm chart and at dist/install.yaml without
// installing them: what they render is compared with config/, shown to follow every
// value, and put before a real API server.
package chart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// root is the repository's. Absolute, since kustomize runs elsewhere.
var root = func() string {
	path, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		panic(err)
	}
	return path
}()

var chart = filepath.Join(root, "charts", "jobflow-operator")

// The release whose objects are those of config/default.
const (
	release   = "jobflow-operator"
	namespace = "jobflow-operator-system"
)

// tool runs a program that make has built into bin/.
func tool(ctx context.Context, stdin, name string, arguments ...string) (string, error) {
	path := filepath.Join(root, "bin", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w; run: make bin/%s", err, name)
	}
	command := exec.CommandContext(ctx, path, arguments...)
	// Neither a cluster nor what the user has set for Helm matters here.
	command.Env = append(os.Environ(), "KUBECONFIG=/dev/null", "HELM_NAMESPACE=", "HELM_PLUGINS=/dev/null")
	command.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// template is what Helm makes of the chart with values in YAML.
func template(ctx context.Context, values string, arguments ...string) (string, error) {
	arguments = append([]string{"template", release, chart, "--namespace", namespace, "--values", "-"}, arguments...)
	return tool(ctx, values, "helm", arguments...)
}

// prometheusOperator and certManager tell Helm of APIs that a bare cluster does not have.
const (
	prometheusOperator = "--api-versions=monitoring.coreos.com/v1"
	certManager        = "--api-versions=cert-manager.io/v1"
)

// withoutCRDs saves parsing most of what is rendered where it is not looked at.
const withoutCRDs = "--set=crds.install=false"

func render(t *testing.T, values string, arguments ...string) objects {
	t.Helper()
	text, err := template(t.Context(), values, arguments...)
	if err != nil {
		t.Fatalf("%v\nvalues:\n%s", err, values)
	}
	return parse(t, text)
}

// kustomize builds config/default under a kustomization that changes it.
func kustomize(t *testing.T, overlay string) objects {
	t.Helper()
	// Kustomize takes relative paths only.
	directory := t.TempDir()
	base, err := filepath.Rel(directory, filepath.Join(root, "config"))
	if err != nil {
		t.Fatal(err)
	}
	head := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [CONFIG/default]\n"
	content := strings.ReplaceAll(head+overlay, "CONFIG", base)
	if err := os.WriteFile(filepath.Join(directory, "kustomization.yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := tool(t.Context(), "", "kustomize", "build", directory)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, text)
}

// objects are what was rendered, by kind and name.
type objects map[string]*unstructured.Unstructured

func id(o *unstructured.Unstructured) string { return o.GetKind() + " " + o.GetName() }

func parse(t *testing.T, text string) objects {
	t.Helper()
	found := objects{}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("what was rendered is no YAML: %v\n%s", err, text)
		}
		if len(o.Object) == 0 {
			continue // a document of comments
		}
		if _, ok := found[id(o)]; ok {
			t.Errorf("%s was rendered twice", id(o))
		}
		found[id(o)] = o
	}
}
