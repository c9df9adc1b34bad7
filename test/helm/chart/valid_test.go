package chart_test

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// options are combined, each with each. What belongs together without regard to the
// rest goes along in the last. No two choices have the same text.
var options = [][]string{
	{
		"webhook: {enabled: true}",
		"webhook: {enabled: false}",
		ownSecret,
		byCertManager,
		"webhook: {certificate: {source: cert-manager, issuerRef: {kind: ClusterIssuer, name: internal}}}",
	},
	{
		"metrics: {enabled: true}",
		"metrics: {secure: false}",
		"{metrics: {enabled: false}, monitoring: {serviceMonitor: {enabled: false}}}",
		"{metrics: {service: {enabled: false}}, monitoring: {serviceMonitor: {enabled: false}}}",
	},
	{
		"leaderElection: {enabled: true}",
		"leaderElection: {enabled: false}",
		"replicas: 2",
	},
	{
		"rbac: {create: true}",
		"rbac: {create: false}",
		"{rbac: {aggregate: false}, serviceAccount: {create: false, name: theirs}}",
	},
	{
		"{}",
		everythingElse,
	},
}

const everythingElse = `
image: {digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", pullPolicy: Always, pullSecrets: [{name: registry}]}
workers: 3
log: {level: 2, format: console}
extraArgs: [--zap-stacktrace-level=panic]
env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
serviceAccount: {annotations: {a: "1"}, labels: {b: "2"}}
resources: {requests: {cpu: 2}, limits: {cpu: "4", memory: null}}
podAnnotations: {a: "1"}
podLabels: {b: "2"}
podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}
priorityClassName: system-cluster-critical
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{operator: Exists}]
affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {a: b}}}}]}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchExpressions: [{key: a, operator: Exists}]}}]
podDisruptionBudget: {enabled: true, maxUnavailable: 50%}
networkPolicy: {enabled: true, apiServerPorts: [443], metricsFrom: [{namespaceSelector: {matchLabels: {a: b}}, podSelector: {}}]}
monitoring:
  serviceMonitor: {enabled: true, interval: 1m30s, labels: {release: stack}}
  prometheusRule: {enabled: true}
  dashboard: {enabled: true}
`

// Whatever is chosen, an API server takes all objects, and knows all their fields. What
// one option does may depend on one other, so that every two choices are rendered
// together; with COMBINATIONS=all, every combination is.
func TestValidInEveryCombination(t *testing.T) {
	// The chart brings the CRDs.
	environment := apiserver.Start(t, func(environment *envtest.Environment) { environment.CRDDirectoryPaths = nil })
	environment.Config.QPS = -1
	plain, err := client.New(environment.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		t.Fatal(err)
	}
	strict := client.WithFieldValidation(plain, metav1.FieldValidationStrict)
	check := &checker{server: strict}

	// The CRDs are the same in all.
	check.all(t, render(t, ""))
	combinations := product(options)
	if os.Getenv("COMBINATIONS") != "all" {
		combinations = pairwise(combinations)
	}
	t.Run("combinations", func(t *testing.T) {
		for _, choices := range combinations {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				check.all(t, render(t, "", chosen(t, choices)...))
			})
		}
	})
	t.Logf("%d combinations, %d different objects", len(combinations), len(check.seen))

	// Not everything passes.
	wrong := render(t, "", withoutCRDs)[deployment]
	if err := unstructured.SetNestedField(wrong.Object, "x", "spec", "template", "spec", "dnsPolice"); err != nil {
		t.Fatal(err)
	}
	if err := check.one(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), `unknown field "spec.template.spec.dnsPolice"`) {
		t.Errorf("an unknown field was taken: %v", err)
	}
}

type checker struct {
	server client.Client
	mu     sync.Mutex
	seen   map[string]bool
}

func (c *checker) all(t *testing.T, rendered objects) {
	t.Helper()
	for _, o := range rendered {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		known := c.seen[string(text)]
		if c.seen == nil {
			c.seen = map[string]bool{}
		}
		c.seen[string(text)] = true
		c.mu.Unlock()
		if known {
			continue
		}
		if err := c.one(t.Context(), o); err != nil {
			t.Errorf("%s: %v\n%s", manifests.ID(o), err, text)
		}
	}
}

// one asks the API server, or for the kinds of others their own Go types.
func (c *checker) one(ctx context.Context, o *unstructured.Unstructured) error {
	var into any
	switch o.GetKind() {
	case monitoring.ServiceMonitorsKind:
		into = &monitoring.ServiceMonitor{}
	case monitoring.PrometheusRuleKind:
		into = &monitoring.PrometheusRule{}
	case certmanager.IssuerKind:
		into = &certmanager.Issuer{}
	case certmanager.CertificateKind:
		into = &certmanager.Certificate{}
	default:
		return c.server.Create(ctx, o.DeepCopy(), client.DryRunAll)
	}
	content, err := yaml.Marshal(o.Object)
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(content, into)
}

// chosen gives Helm the choices, of which the first wins.
func chosen(t *testing.T, choices []string) []string {
	t.Helper()
	arguments := []string{withoutCRDs, prometheusOperator, certManager}
	for _, choice := range slices.Backward(choices) {
		values, err := yaml.YAMLToJSON([]byte(choice))
		if err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, "--set-json="+string(values))
	}
	return arguments
}
