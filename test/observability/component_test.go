package observability_test

import (
	"encoding/json"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// Where the CRDs of Prometheus Operator are not installed, one object of them breaks
// the whole installation.
func TestDefaultNeedsNoPrometheusOperator(t *testing.T) {
	for _, o := range kustomize.Build(t, "default") {
		if strings.Contains(o.GetAPIVersion(), "coreos.com") {
			t.Errorf("config/default has %s", manifests.ID(o))
		}
	}
}

// That it adds these objects and changes no other is tested in test/security.
func TestComponent(t *testing.T) {
	after := kustomize.Build(t, "default", "monitoring")
	service := manifests.Only[corev1.Service](t, after, "Service jobflow-operator-controller-manager-metrics-service")
	webhooks := manifests.Only[corev1.Service](t, after, "Service jobflow-operator-webhook-service")
	monitor := manifests.Only[monitoringv1.ServiceMonitor](t, after, "ServiceMonitor jobflow-operator")
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

	rules := manifests.Only[monitoringv1.PrometheusRule](t, after, "PrometheusRule jobflow-operator")
	if len(rules.Spec.Groups) == 0 {
		t.Error("no rules")
	}
	for name, content := range manifests.Only[corev1.ConfigMap](t, after, "ConfigMap jobflow-operator-dashboard").Data {
		if !json.Valid([]byte(content)) || !strings.HasSuffix(name, ".json") {
			t.Errorf("Grafana does not take %s", name)
		}
	}
}
