package chart_test

import (
	"strings"
	"testing"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// What is wrong is refused before anything is installed, in words that name it.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ values, want string }{
		"a typo":               {"replica: 2", "additional properties 'replica' not allowed"},
		"a typo further down":  {"webhook: {certificate: {ca: x}}", "at '/webhook/certificate': additional properties 'ca' not allowed"},
		"a typo in a list":     {"tolerations: [{efect: NoSchedule}]", "at '/tolerations/0': additional properties 'efect' not allowed"},
		"a typo in a context":  {"podSecurityContext: {runAsuser: 1}", "additional properties 'runAsuser' not allowed"},
		"words for a number":   {"replicas: two", "at '/replicas': got string, want integer"},
		"a number for words":   {"image: {tag: 1.5}", "at '/image/tag': got number, want string"},
		"words for a switch":   {`metrics: {enabled: "yes"}`, "at '/metrics/enabled': got string, want boolean"},
		"an unknown policy":    {"webhook: {failurePolicy: Maybe}", "at '/webhook/failurePolicy': value must be one of 'Fail', 'Ignore'"},
		"too long a timeout":   {"webhook: {timeoutSeconds: 31}", "at '/webhook/timeoutSeconds': maximum: got 31, want 30"},
		"no workers":           {"workers: 0", "at '/workers': minimum: got 0, want 1"},
		"no port":              {"metrics: {port: 70000}", "at '/metrics/port': maximum: got 70,000, want 65,535"},
		"an unknown log level": {"log: {level: warn}", "at '/log/level': value must be one of 'debug', 'info', 'error'"},
		"an unknown source":    {"webhook: {certificate: {source: vault}}", "value must be one of 'operator', 'secret', 'cert-manager'"},
		"a CA that is no PEM":  {"webhook: {certificate: {caBundle: TFMw}}", "at '/webhook/certificate/caBundle': 'TFMw' does not match pattern"},
		"an image with a tag":  {"image: {digest: v1}", "at '/image/digest': 'v1' does not match pattern"},
		"too long a name":      {"fullnameOverride: a-name-that-is-longer-than-it-may-be", "at '/fullnameOverride': maxLength"},
		"the chart off":        {"enabled: false", "at '/enabled': value must be true"},
		"a kind without name":  {"webhook: {certificate: {issuerRef: {kind: ClusterIssuer}}}", "properties 'name' required, if 'kind' exists"},

		"a Secret without name": {"webhook: {certificate: {source: secret, caBundle: '-----BEGIN CERTIFICATE-----'}}", "webhook.certificate.secretName: set the name of the Secret"},
		"a Secret without CA":   {"webhook: {certificate: {source: secret, secretName: mine}}", "webhook.certificate.caBundle: the certificate (PEM) of the CA"},
		"an account of no name": {"serviceAccount: {create: false}", "serviceAccount.name: set the name of an existing service account"},
		"no leader":             {"{replicas: 2, leaderElection: {enabled: false}}", "replicas: more than one needs leaderElection.enabled"},
		"nothing to scrape":     {"{metrics: {service: {enabled: false}}, monitoring: {serviceMonitor: {enabled: true}}}", "monitoring.serviceMonitor.enabled: there is nothing to find without metrics.enabled and metrics.service.enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text, err := template(t.Context(), c.values, withoutCRDs, prometheusOperator); err == nil {
				t.Errorf("was rendered:\n%s", text)
			} else if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// An option that needs CRDs of others says so where they are not.
func TestRefusedWithoutCRDs(t *testing.T) {
	for values, api := range map[string]string{
		"monitoring: {serviceMonitor: {enabled: true}}":  "monitoring.coreos.com/v1",
		"monitoring: {prometheusRule: {enabled: true}}":  "monitoring.coreos.com/v1",
		"webhook: {certificate: {source: cert-manager}}": "cert-manager.io/v1",
	} {
		_, err := template(t.Context(), values, withoutCRDs)
		if err == nil || !strings.Contains(err.Error(), api) || !strings.Contains(err.Error(), "install") {
			t.Errorf("%s: got %v", values, err)
		}
		if _, err := template(t.Context(), values, withoutCRDs, "--api-versions="+api); err != nil {
			t.Errorf("%s, with the CRDs: %v", values, err)
		}
	}
}

// The schema knows the values of values.yaml and no others, and is strict all the
// way down to them.
func TestSchemaKnowsTheValues(t *testing.T) {
	schema := manifests.Load[map[string]any](t, "charts/jobflow-operator/values.schema.json")
	compareSchema(t, "", schema, standardValues(t), map[string]bool{
		// Set by the parent of a chart, for any chart.
		"global": true, "enabled": true,
	})
}

func compareSchema(t *testing.T, prefix string, schema, values map[string]any, more map[string]bool) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	if schema["additionalProperties"] != false {
		t.Errorf("the schema takes any field in %q", prefix)
	}
	for key, value := range values {
		property, ok := properties[key].(map[string]any)
		if !ok {
			t.Errorf("%s%s of values.yaml is not in the schema", prefix, key)
			continue
		}
		// What Kubernetes defines, such as resources, is not ours to list.
		if below, ok := value.(map[string]any); ok && len(below) > 0 && documentedBelow[prefix+key] {
			compareSchema(t, prefix+key+".", property, below, nil)
		}
	}
	for key := range properties {
		if _, ok := values[key]; !ok && !more[key] {
			t.Errorf("%s%s of the schema is not in values.yaml", prefix, key)
		}
	}
}

// documentedBelow are the groups of values.
var documentedBelow = map[string]bool{
	"image": true, "leaderElection": true, "log": true, "crds": true,
	"webhook": true, "webhook.certificate": true, "metrics": true, "metrics.service": true,
	"rbac": true, "serviceAccount": true, "podDisruptionBudget": true, "networkPolicy": true,
	"monitoring": true, "monitoring.serviceMonitor": true, "monitoring.prometheusRule": true, "monitoring.dashboard": true,
}
