package chart_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// effect is what a value does: what is at a path of an object, and what was there
// without it.
type effect struct {
	values    string
	object    string // kind and name
	path      string // JSONPath; empty: whether the object is there at all
	want, was string // JSON of one result; nothing is ""
	arguments []string
}

const (
	deployment = "Deployment jobflow-operator-controller-manager"
	webhooks   = "ValidatingWebhookConfiguration jobflow-operator-validating-webhook-configuration"
	service    = "Service jobflow-operator-controller-manager-metrics-service"
	account    = "ServiceAccount jobflow-operator-controller-manager"
	policy     = "NetworkPolicy jobflow-operator-controller-manager"
	budget     = "PodDisruptionBudget jobflow-operator-controller-manager"
	monitor    = "ServiceMonitor jobflow-operator"
	there      = "true"

	pod       = "{.spec.template.spec}"
	container = "{.spec.template.spec.containers[0]}"
	args      = "{.spec.template.spec.containers[0].args}"
)

// effects has every value of values.yaml, by its path. What a value is named after
// beside its object is in TestNames, what it refuses in TestRefused.
var effects = map[string][]effect{
	"fullnameOverride": {{values: "fullnameOverride: jobs", object: "Deployment jobs-controller-manager", want: there}},

	"image.repository":  {{values: "image: {repository: example.com/x}", object: deployment, path: in(container, ".image"), was: `"ghcr.io/jobflow-operator/jobflow-operator:v0.2.0"`, want: `"example.com/x:v0.2.0"`}},
	"image.tag":         {{values: "image: {tag: v9}", object: deployment, path: in(container, ".image"), was: `"ghcr.io/jobflow-operator/jobflow-operator:v0.2.0"`, want: `"ghcr.io/jobflow-operator/jobflow-operator:v9"`}},
	"image.digest":      {{values: "image: {tag: v9, digest: 'sha256:0123456789abcdef0123456789abcdef'}", object: deployment, path: in(container, ".image"), was: `"ghcr.io/jobflow-operator/jobflow-operator:v0.2.0"`, want: `"ghcr.io/jobflow-operator/jobflow-operator@sha256:0123456789abcdef0123456789abcdef"`}},
	"image.pullPolicy":  {{values: "image: {pullPolicy: Always}", object: deployment, path: in(container, ".imagePullPolicy"), was: `"IfNotPresent"`, want: `"Always"`}},
	"image.pullSecrets": {{values: "image: {pullSecrets: [{name: registry}]}", object: deployment, path: in(pod, ".imagePullSecrets"), want: `[{"name":"registry"}]`}},

	"replicas": {
		{values: "replicas: 3", object: deployment, path: "{.spec.replicas}", was: "1", want: "3"},
		{values: "replicas: 3", object: deployment, path: in(pod, ".topologySpreadConstraints[0].topologyKey"), want: `"kubernetes.io/hostname"`},
	},
	"leaderElection.enabled": {
		{values: "leaderElection: {enabled: false}", object: deployment, path: args, was: `["--leader-elect"]`},
		{values: "leaderElection: {enabled: false}", object: deployment, path: "{.spec.strategy.type}", want: `"Recreate"`},
		{values: "leaderElection: {enabled: false}", object: "Role jobflow-operator-leader-election-role", was: there},
		{values: "leaderElection: {enabled: false}", object: "RoleBinding jobflow-operator-leader-election-rolebinding", was: there},
	},
	"workers":    {{values: "workers: 3", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--workers=3"]`}},
	"log.level":  {{values: "log: {level: debug}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--zap-log-level=debug"]`}, {values: "log: {level: 3}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--zap-log-level=3"]`}},
	"log.format": {{values: "log: {format: console}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--zap-encoder=console"]`}},
	"extraArgs":  {{values: `extraArgs: ["--zap-time-encoding=iso8601"]`, object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--zap-time-encoding=iso8601"]`}},
	"env":        {{values: "env: [{name: A, value: b}]", object: deployment, path: in(container, ".env"), want: `[{"name":"A","value":"b"}]`}},

	"crds.install": {
		{values: "crds: {install: false}", object: "CustomResourceDefinition jobflows.api.practice.com", was: there},
		{values: "crds: {install: false}", object: "CustomResourceDefinition daemonjobs.api.practice.com", was: there},
		{values: "crds: {install: false}", object: "CustomResourceDefinition jobtemplates.api.practice.com", was: there},
	},
	"crds.keep": {{values: "crds: {keep: false}", object: "CustomResourceDefinition jobflows.api.practice.com", path: `{.metadata.annotations.helm\.sh/resource-policy}`, was: `"keep"`}},

	"webhook.enabled": {
		{values: "webhook: {enabled: false}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--enable-webhooks=false"]`},
		{values: "webhook: {enabled: false}", object: deployment, path: in(container, ".volumeMounts[0].name"), was: `"webhook-cert"`},
		{values: "webhook: {enabled: false}", object: deployment, path: in(pod, ".volumes[0].name"), was: `"webhook-cert"`},
		{values: "webhook: {enabled: false}", object: deployment, path: in(container, ".ports[?(@.name=='webhooks')].containerPort"), was: "9443"},
		{values: "webhook: {enabled: false}", object: webhooks, was: there},
		{values: "webhook: {enabled: false}", object: "Service jobflow-operator-webhook-service", was: there},
		{values: "webhook: {enabled: false}", object: "Secret jobflow-operator-webhook-server-cert", was: there},
		{values: "webhook: {enabled: false}", object: "ClusterRole jobflow-operator-certificate-role", was: there},
		{values: "webhook: {enabled: false}", object: "Role jobflow-operator-certificate-role", was: there},
		{values: "{webhook: {enabled: false}, networkPolicy: {enabled: true}}", object: policy, path: "{.spec.ingress[*].ports[*].port}", want: "8080"},
	},
	"webhook.failurePolicy":  {{values: "webhook: {failurePolicy: Ignore}", object: webhooks, path: "{.webhooks[*].failurePolicy}", was: `"Fail" "Fail" "Fail"`, want: `"Ignore" "Ignore" "Ignore"`}},
	"webhook.timeoutSeconds": {{values: "webhook: {timeoutSeconds: 5}", object: webhooks, path: "{.webhooks[*].timeoutSeconds}", was: "10 10 10", want: "5 5 5"}},
	"webhook.port": {
		{values: "webhook: {port: 8443}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--webhook-port=8443"]`},
		{values: "webhook: {port: 8443}", object: deployment, path: in(container, ".ports[?(@.name=='webhooks')].containerPort"), was: "9443", want: "8443"},
		{values: "{webhook: {port: 8443}, networkPolicy: {enabled: true}}", object: policy, path: "{.spec.ingress[0].ports[0].port}", want: "8443"},
	},
	"webhook.certificate.source": {
		{values: ownSecret, object: deployment, path: in(pod, ".volumes[0].secret.secretName"), want: `"mine"`},
		{values: ownSecret, object: deployment, path: in(pod, ".volumes[0].emptyDir.sizeLimit"), was: `"1Mi"`},
		{values: ownSecret, object: "Secret jobflow-operator-webhook-server-cert", was: there},
		{values: ownSecret, object: "Secret mine"},
		{values: ownSecret, object: "ClusterRole jobflow-operator-certificate-role", was: there},
		{values: ownSecret, object: "RoleBinding jobflow-operator-certificate-rolebinding", was: there},
		{values: byCertManager, arguments: []string{certManager}, object: "Certificate jobflow-operator-serving-cert", path: "{.spec.secretName}", want: `"jobflow-operator-webhook-server-cert"`},
		{values: byCertManager, arguments: []string{certManager}, object: "Certificate jobflow-operator-serving-cert", path: "{.spec.dnsNames[0]}", want: `"jobflow-operator-webhook-service.jobflow-operator-system.svc"`},
		{values: byCertManager, arguments: []string{certManager}, object: "Issuer jobflow-operator-selfsigned-issuer", want: there},
		{values: byCertManager, arguments: []string{certManager}, object: webhooks + "-cert-manager", path: `{.metadata.annotations.cert-manager\.io/inject-ca-from}`, want: `"jobflow-operator-system/jobflow-operator-serving-cert"`},
		{values: byCertManager, arguments: []string{certManager}, object: deployment, path: in(pod, ".volumes[0].secret.secretName"), want: `"jobflow-operator-webhook-server-cert"`},
		{values: byCertManager, arguments: []string{certManager}, object: "Role jobflow-operator-certificate-role", was: there},
	},
	"webhook.certificate.secretName": {
		{values: "webhook: {certificate: {secretName: mine}}", object: "Secret mine", want: there},
		{values: "webhook: {certificate: {secretName: mine}}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--webhook-secret=mine"]`},
		{values: "webhook: {certificate: {secretName: mine}}", object: "Role jobflow-operator-certificate-role", path: "{.rules[1].resourceNames}", was: `["jobflow-operator-webhook-server-cert"]`, want: `["mine"]`},
	},
	"webhook.certificate.caBundle": {{values: ownSecret, object: webhooks + "-secret", path: "{.webhooks[*].clientConfig.caBundle}", want: strings.Join([]string{ownCA, ownCA, ownCA}, " ")}},
	"webhook.certificate.issuerRef": {
		{values: "webhook: {certificate: {source: cert-manager, issuerRef: {kind: ClusterIssuer, name: internal}}}", arguments: []string{certManager}, object: "Certificate jobflow-operator-serving-cert", path: "{.spec.issuerRef}", want: `{"kind":"ClusterIssuer","name":"internal"}`},
		{values: "webhook: {certificate: {source: cert-manager, issuerRef: {kind: ClusterIssuer, name: internal}}}", arguments: []string{certManager}, object: "Issuer jobflow-operator-selfsigned-issuer"},
	},

	"metrics.enabled": {
		{values: "metrics: {enabled: false}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--metrics-bind-address=0"]`},
		{values: "metrics: {enabled: false}", object: deployment, path: in(container, ".ports[?(@.name=='metrics')].containerPort"), was: "8080"},
		{values: "metrics: {enabled: false}", object: service, was: there},
		{values: "metrics: {enabled: false}", object: "ClusterRole jobflow-operator-metrics-auth-role", was: there},
		{values: "metrics: {enabled: false}", object: "ClusterRole jobflow-operator-metrics-reader", was: there},
		{values: "{metrics: {enabled: false}, networkPolicy: {enabled: true}}", object: policy, path: "{.spec.ingress[*].ports[*].port}", want: "9443"},
	},
	"metrics.secure": {
		{values: "metrics: {secure: false}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--metrics-secure=false"]`},
		{values: "metrics: {secure: false}", object: service, path: "{.spec.ports[0].name}", was: `"https"`, want: `"http"`},
		{values: "metrics: {secure: false}", object: "ClusterRoleBinding jobflow-operator-metrics-auth-rolebinding", was: there},
		{values: "{metrics: {secure: false}, monitoring: {serviceMonitor: {enabled: true}}}", arguments: []string{prometheusOperator}, object: monitor, path: "{.spec.endpoints}", want: `[{"path":"/metrics","port":"http","scheme":"http"}]`},
	},
	"metrics.port": {
		{values: "metrics: {port: 9000}", object: deployment, path: args, was: `["--leader-elect"]`, want: `["--leader-elect","--metrics-bind-address=:9000"]`},
		{values: "metrics: {port: 9000}", object: deployment, path: in(container, ".ports[?(@.name=='metrics')].containerPort"), was: "8080", want: "9000"},
		{values: "{metrics: {port: 9000}, networkPolicy: {enabled: true}}", object: policy, path: "{.spec.ingress[1].ports[0].port}", want: "9000"},
	},
	"metrics.service.enabled":     {{values: "metrics: {service: {enabled: false}}", object: service, was: there}},
	"metrics.service.port":        {{values: "metrics: {service: {port: 443}}", object: service, path: "{.spec.ports[0].port}", was: "8080", want: "443"}},
	"metrics.service.annotations": {{values: "metrics: {service: {annotations: {a: b}}}", object: service, path: "{.metadata.annotations}", want: `{"a":"b"}`}},

	"rbac.create": {
		{values: "rbac: {create: false}", object: "ClusterRole jobflow-operator-manager-role", was: there},
		{values: "rbac: {create: false}", object: "ClusterRoleBinding jobflow-operator-manager-rolebinding", was: there},
		{values: "rbac: {create: false}", object: "ClusterRole jobflow-operator-certificate-role", was: there},
		{values: "rbac: {create: false}", object: "Role jobflow-operator-leader-election-role", was: there},
		{values: "rbac: {create: false}", object: "ClusterRole jobflow-operator-metrics-auth-role", was: there},
		{values: "rbac: {create: false}", object: "ClusterRole jobflow-operator-view", was: there},
		{values: "rbac: {create: false}", object: "ClusterRole jobflow-operator-edit", was: there},
	},
	"rbac.aggregate": {
		{values: "rbac: {aggregate: false}", object: "ClusterRole jobflow-operator-view", path: `{.metadata.labels.rbac\.authorization\.k8s\.io/aggregate-to-view}`, was: `"true"`},
		{values: "rbac: {aggregate: false}", object: "ClusterRole jobflow-operator-edit", path: `{.metadata.labels.rbac\.authorization\.k8s\.io/aggregate-to-edit}`, was: `"true"`},
	},

	"serviceAccount.create": {
		{values: "serviceAccount: {create: false, name: theirs}", object: account, was: there},
		{values: "serviceAccount: {create: false, name: theirs}", object: "ServiceAccount theirs"},
	},
	"serviceAccount.name": {
		{values: "serviceAccount: {name: mine}", object: "ServiceAccount mine", want: there},
		{values: "serviceAccount: {name: mine}", object: deployment, path: in(pod, ".serviceAccountName"), was: `"jobflow-operator-controller-manager"`, want: `"mine"`},
		{values: "serviceAccount: {name: mine}", object: "ClusterRoleBinding jobflow-operator-manager-rolebinding", path: "{.subjects[*].name}", was: `"jobflow-operator-controller-manager"`, want: `"mine"`},
		{values: "serviceAccount: {name: mine}", object: "RoleBinding jobflow-operator-certificate-rolebinding", path: "{.subjects[*].name}", was: `"jobflow-operator-controller-manager"`, want: `"mine"`},
	},
	"serviceAccount.annotations": {{values: "serviceAccount: {annotations: {a: b}}", object: account, path: "{.metadata.annotations}", want: `{"a":"b"}`}},
	"serviceAccount.labels":      {{values: "serviceAccount: {labels: {a: b, helm.sh/chart: other}}", object: account, path: "{.metadata.labels.a}", want: `"b"`}},

	"resources.requests.cpu":    {{values: "resources: {requests: {cpu: 2}}", object: deployment, path: in(container, ".resources.requests"), was: `{"cpu":"50m","memory":"128Mi"}`, want: `{"cpu":2,"memory":"128Mi"}`}},
	"resources.requests.memory": {{values: "resources: {requests: {memory: 1Gi}}", object: deployment, path: in(container, ".resources.requests"), was: `{"cpu":"50m","memory":"128Mi"}`, want: `{"cpu":"50m","memory":"1Gi"}`}},
	"resources.limits.memory":   {{values: "resources: {limits: {memory: null, cpu: 1}}", object: deployment, path: in(container, ".resources.limits"), was: `{"memory":"1Gi"}`, want: `{"cpu":1}`}},

	"podAnnotations": {{values: "podAnnotations: {a: b}", object: deployment, path: "{.spec.template.metadata.annotations}", was: `{"kubectl.kubernetes.io/default-container":"manager"}`, want: `{"a":"b","kubectl.kubernetes.io/default-container":"manager"}`}},
	"podLabels": {{values: "podLabels: {a: b, control-plane: other}", object: deployment, path: "{.spec.template.metadata.labels}",
		was: `{"app.kubernetes.io/name":"jobflow-operator","control-plane":"controller-manager"}`, want: `{"a":"b","app.kubernetes.io/name":"jobflow-operator","control-plane":"controller-manager"}`}},
	"podSecurityContext.runAsNonRoot":        {{values: "podSecurityContext: {runAsNonRoot: false}", object: deployment, path: in(pod, ".securityContext.runAsNonRoot"), was: "true", want: "false"}},
	"podSecurityContext.runAsUser":           {{values: "podSecurityContext: {runAsUser: null}", object: deployment, path: in(pod, ".securityContext.runAsUser"), was: "65532"}},
	"podSecurityContext.runAsGroup":          {{values: "podSecurityContext: {runAsGroup: 7}", object: deployment, path: in(pod, ".securityContext.runAsGroup"), was: "65532", want: "7"}},
	"podSecurityContext.fsGroup":             {{values: "podSecurityContext: {fsGroup: null}", object: deployment, path: in(pod, ".securityContext.fsGroup"), was: "65532"}},
	"podSecurityContext.seccompProfile.type": {{values: "podSecurityContext: {seccompProfile: {type: Unconfined}}", object: deployment, path: in(pod, ".securityContext.seccompProfile.type"), was: `"RuntimeDefault"`, want: `"Unconfined"`}},

	"securityContext.allowPrivilegeEscalation": {{values: "securityContext: {allowPrivilegeEscalation: true}", object: deployment, path: in(container, ".securityContext.allowPrivilegeEscalation"), was: "false", want: "true"}},
	"securityContext.readOnlyRootFilesystem":   {{values: "securityContext: {readOnlyRootFilesystem: false}", object: deployment, path: in(container, ".securityContext.readOnlyRootFilesystem"), was: "true", want: "false"}},
	"securityContext.capabilities.drop":        {{values: "securityContext: {capabilities: {drop: [NET_RAW]}}", object: deployment, path: in(container, ".securityContext.capabilities.drop"), was: `["ALL"]`, want: `["NET_RAW"]`}},

	"priorityClassName": {{values: "priorityClassName: system-cluster-critical", object: deployment, path: in(pod, ".priorityClassName"), want: `"system-cluster-critical"`}},
	"nodeSelector":      {{values: "nodeSelector: {a: b}", object: deployment, path: in(pod, ".nodeSelector"), want: `{"a":"b"}`}},
	"tolerations":       {{values: "tolerations: [{operator: Exists}]", object: deployment, path: in(pod, ".tolerations"), want: `[{"operator":"Exists"}]`}},
	"affinity": {{values: "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}", object: deployment, path: in(pod, ".affinity"),
		want: `{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"Exists"}]}]}}}`}},
	"topologySpreadConstraints": {{values: "{replicas: 2, topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]}", object: deployment, path: in(pod, ".topologySpreadConstraints"),
		want: `[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"}]`}},

	"podDisruptionBudget.enabled":        {{values: "podDisruptionBudget: {enabled: true}", object: budget, want: there}},
	"podDisruptionBudget.maxUnavailable": {{values: "podDisruptionBudget: {enabled: true, maxUnavailable: 50%}", object: budget, path: "{.spec.maxUnavailable}", want: `"50%"`}},

	"networkPolicy.enabled":        {{values: "networkPolicy: {enabled: true}", object: policy, want: there}},
	"networkPolicy.apiServerPorts": {{values: "networkPolicy: {enabled: true, apiServerPorts: [7443]}", object: policy, path: "{.spec.egress[0].ports}", want: `[{"port":7443,"protocol":"TCP"}]`}},
	"networkPolicy.metricsFrom":    {{values: "networkPolicy: {enabled: true, metricsFrom: [{podSelector: {matchLabels: {a: b}}}]}", object: policy, path: "{.spec.ingress[1].from}", want: `[{"podSelector":{"matchLabels":{"a":"b"}}}]`}},

	"monitoring.serviceMonitor.enabled":             {{values: "monitoring: {serviceMonitor: {enabled: true}}", arguments: []string{prometheusOperator}, object: monitor, want: there}},
	"monitoring.serviceMonitor.labels":              {{values: "monitoring: {serviceMonitor: {enabled: true, labels: {release: stack}}}", arguments: []string{prometheusOperator}, object: monitor, path: "{.metadata.labels.release}", want: `"stack"`}},
	"monitoring.serviceMonitor.interval":            {{values: "monitoring: {serviceMonitor: {enabled: true, interval: 30s}}", arguments: []string{prometheusOperator}, object: monitor, path: "{.spec.endpoints[0].interval}", want: `"30s"`}},
	"monitoring.prometheusRule.enabled":             {{values: "monitoring: {prometheusRule: {enabled: true}}", arguments: []string{prometheusOperator}, object: "PrometheusRule jobflow-operator", want: there}},
	"monitoring.prometheusRule.labels":              {{values: "monitoring: {prometheusRule: {enabled: true, labels: {release: stack}}}", arguments: []string{prometheusOperator}, object: "PrometheusRule jobflow-operator", path: "{.metadata.labels.release}", want: `"stack"`}},
	"monitoring.dashboard.enabled":                  {{values: "monitoring: {dashboard: {enabled: true}}", object: "ConfigMap jobflow-operator-dashboard", want: there}},
	"monitoring.dashboard.labels":                   {{values: "monitoring: {dashboard: {enabled: true, labels: {a: b}}}", object: "ConfigMap jobflow-operator-dashboard", path: "{.metadata.labels.a}", want: `"b"`}},
	"monitoring.dashboard.labels.grafana_dashboard": {{values: "monitoring: {dashboard: {enabled: true}}", object: "ConfigMap jobflow-operator-dashboard", path: "{.metadata.labels.grafana_dashboard}", want: `"1"`}},
}

const (
	ownSecret     = "webhook: {certificate: {source: secret, secretName: mine, caBundle: \"-----BEGIN CERTIFICATE-----\\n\"}}"
	ownCA         = `"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="`
	byCertManager = "webhook: {certificate: {source: cert-manager}}"
)

// in is a path below another.
func in(path, below string) string { return strings.TrimSuffix(path, "}") + below + "}" }

func TestEveryValueDoesWhatItSays(t *testing.T) {
	standard := render(t, "")
	for value, cases := range effects {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			for _, c := range cases {
				arguments := c.arguments
				if !strings.HasPrefix(value, "crds.") {
					arguments = append(arguments, withoutCRDs)
				}
				if c.want == c.was && c.want != "" {
					t.Errorf("%s: the case shows no effect", c.values)
				}
				if got := at(t, standard, c.object, c.path); got != c.was {
					t.Errorf("by default\n%s %s:\n got %s\nwant %s", c.object, c.path, got, c.was)
				}
				if got := at(t, render(t, c.values, arguments...), c.object, c.path); got != c.want {
					t.Errorf("%s\n%s %s:\n got %s\nwant %s", c.values, c.object, c.path, got, c.want)
				}
			}
		})
	}
}

func TestEveryValueIsTested(t *testing.T) {
	leaves := leavesOf("", standardValues(t))
	for value := range leaves {
		if _, ok := effects[value]; !ok {
			t.Errorf("%s of values.yaml has no case in effects, which shows what it does", value)
		}
	}
	for value := range effects {
		if _, ok := leaves[value]; !ok && value != "monitoring.dashboard.labels" {
			t.Errorf("effects has %s, which values.yaml does not have", value)
		}
	}
}

// at is the JSON of what the path finds in an object, "" for nothing.
func at(t *testing.T, rendered objects, object, path string) string {
	t.Helper()
	o, ok := rendered[object]
	if !ok {
		return ""
	}
	if path == "" {
		return there
	}
	finder := jsonpath.New(path).AllowMissingKeys(true)
	finder.EnableJSONOutput(true)
	if err := finder.Parse(path); err != nil {
		t.Fatal(err)
	}
	found, err := finder.FindResults(o.Object)
	if err != nil {
		return "" // an index past the end
	}
	var texts []string
	for _, set := range found {
		for _, value := range set {
			content, err := yaml.Marshal(value.Interface())
			if err != nil {
				t.Fatal(err)
			}
			text, err := yaml.YAMLToJSON(content)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(bytes.TrimSpace(text)))
		}
	}
	return strings.Join(texts, " ")
}

func standardValues(t *testing.T) map[string]any {
	t.Helper()
	return manifests.Load[map[string]any](t, "charts/jobflow-operator/values.yaml")
}

// leavesOf are the values below a mapping, by their paths; an empty mapping is one
// itself.
func leavesOf(prefix string, values map[string]any) map[string]any {
	leaves := map[string]any{}
	for key, value := range values {
		path := prefix + key
		if below, ok := value.(map[string]any); ok && len(below) > 0 {
			maps.Copy(leaves, leavesOf(path+".", below))
			continue
		}
		leaves[path] = value
	}
	return leaves
}
