package observability_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// render is what "kubectl apply -k" applies for config/default with components.
func render(t *testing.T, components ...string) resmap.ResMap {
	t.Helper()
	dir := t.TempDir()
	// Kustomize takes only relative paths.
	relative := func(path string) string {
		absolute, err := filepath.Abs(path)
		must(t, err)
		found, err := filepath.Rel(dir, absolute)
		must(t, err)
		return found
	}
	overlay := types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Resources: []string{relative(filepath.Join(root, "config", "default"))},
	}
	for _, component := range components {
		overlay.Components = append(overlay.Components, relative(component))
	}
	content, err := yaml.Marshal(overlay)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), content, 0o600))
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	must(t, err)
	return built
}

// find is the one object of a kind and name. A field that its type does not have is
// an error, as it is for the API server.
func find[T any](t *testing.T, in resmap.ResMap, kind, name string) T {
	t.Helper()
	var found T
	for _, resource := range in.Resources() {
		if resource.GetKind() != kind || resource.GetName() != name {
			continue
		}
		if resource.GetNamespace() != operatorNamespace {
			t.Errorf("%s %s is in namespace %q", kind, name, resource.GetNamespace())
		}
		content, err := resource.MarshalJSON()
		must(t, err)
		must(t, yaml.UnmarshalStrict(content, &found))
		return found
	}
	t.Fatalf("there is no %s %s", kind, name)
	return found
}

const operatorNamespace = "jobflow-operator-system"

// Where the CRDs of Prometheus Operator are not installed, one object of them breaks
// the whole installation.
func TestDefaultNeedsNoPrometheusOperator(t *testing.T) {
	for _, resource := range render(t).Resources() {
		if group := resource.GetGvk().Group; strings.Contains(group, "coreos.com") {
			t.Errorf("config/default has %s %s", resource.GetKind(), resource.GetName())
		}
	}
}

func TestComponent(t *testing.T) {
	before := render(t)
	after := render(t, component)
	var added []string
	for _, resource := range after.Resources() {
		if _, err := before.GetById(resource.CurId()); err != nil {
			added = append(added, resource.GetKind()+" "+resource.GetName())
		}
	}
	slices.Sort(added)
	want := []string{"ConfigMap jobflow-operator-dashboard", "PrometheusRule jobflow-operator", "ServiceMonitor jobflow-operator"}
	if diff := cmp.Diff(want, added); diff != "" {
		t.Errorf("what the component adds (-want +got):\n%s", diff)
	}

	service := find[corev1.Service](t, after, "Service", "jobflow-operator-controller-manager-metrics-service")
	webhooks := find[corev1.Service](t, after, "Service", "jobflow-operator-webhook-service")
	monitor := find[monitoringv1.ServiceMonitor](t, after, "ServiceMonitor", "jobflow-operator")
	selector := labels.SelectorFromSet(monitor.Spec.Selector.MatchLabels)
	if selector.Empty() || !selector.Matches(labels.Set(service.Labels)) {
		t.Errorf("the ServiceMonitor's selector %s does not match the Service's labels %v", selector, service.Labels)
	}
	if selector.Matches(labels.Set(webhooks.Labels)) {
		t.Error("the ServiceMonitor takes the Service of the webhooks too")
	}
	if len(monitor.Spec.Endpoints) != 1 || monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor's endpoints are %v, the Service's ports %v", monitor.Spec.Endpoints, service.Spec.Ports)
	}

	rules := find[monitoringv1.PrometheusRule](t, after, "PrometheusRule", "jobflow-operator")
	if len(rules.Spec.Groups) == 0 {
		t.Error("no rules")
	}
	for name, content := range find[corev1.ConfigMap](t, after, "ConfigMap", "jobflow-operator-dashboard").Data {
		if !json.Valid([]byte(content)) || !strings.HasSuffix(name, ".json") {
			t.Errorf("Grafana does not take %s", name)
		}
	}
}
