// Package chart_test looks at the Helm chart and at dist/install.yaml without
// installing them: what they render is compared with config/, shown to follow every
// value, and put before a real API server.
package chart_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

var chart = repository.Path("charts/jobflow-operator")

// The release whose objects are those of config/default.
const (
	release   = "jobflow-operator"
	namespace = "jobflow-operator-system"
)

// template is what Helm makes of the chart with values in YAML.
func template(ctx context.Context, values string, arguments ...string) ([]byte, error) {
	arguments = append([]string{"template", release, chart, "--namespace", namespace, "--values", "-"}, arguments...)
	return manifests.Helm(ctx, values, arguments...)
}

// prometheusOperator and certManager tell Helm of APIs that a bare cluster does not have.
const (
	prometheusOperator = "--api-versions=monitoring.coreos.com/v1"
	certManager        = "--api-versions=cert-manager.io/v1"
)

// withoutCRDs saves parsing most of what is rendered where it is not looked at.
const withoutCRDs = "--set=crds.install=false"

// objects are what was rendered, by kind and name.
type objects = map[string]*unstructured.Unstructured

// rendered has what Helm made of values and arguments: many cases look at the same.
var rendered sync.Map

func render(t *testing.T, values string, arguments ...string) objects {
	t.Helper()
	made, _ := rendered.LoadOrStore(fmt.Sprint(values, arguments), sync.OnceValues(func() ([]byte, error) {
		return template(t.Context(), values, arguments...)
	}))
	text, err := made.(func() ([]byte, error))()
	if err != nil {
		t.Fatalf("%v\nvalues:\n%s\n%s", err, values, arguments)
	}
	return parse(t, text)
}

func parse(t *testing.T, text []byte) objects {
	t.Helper()
	return manifests.ByID(t, manifests.Parse(t, text))
}
