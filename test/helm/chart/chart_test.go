package chart_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/operator"
)

func TestLint(t *testing.T) {
	text, err := manifests.Helm(t.Context(), "", "lint", "--strict", chart)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("[")) { // [INFO] and worse
		t.Errorf("helm lint has remarks:\n%s", text)
	}
}

// What the chart says of the operator is what its bundle says.
func TestMetadata(t *testing.T) {
	type person struct{ Name, Email string }
	got := manifests.Load[struct {
		Version, AppVersion, KubeVersion, Home, Description string
		Sources, Keywords                                   []string
		Maintainers                                         []person
		Annotations                                         map[string]string
	}](t, "charts/jobflow-operator/Chart.yaml")
	csv := manifests.Load[struct {
		Metadata struct {
			Annotations map[string]string
		}
		Spec struct {
			Version, MinKubeVersion string
			Keywords                []string
			Maintainers             []person
		}
	}](t, "bundle/manifests/jobflow-operator.clusterserviceversion.yaml")

	repository := csv.Metadata.Annotations["repository"]
	for name, c := range map[string]struct{ want, got any }{
		"version":      {csv.Spec.Version, got.Version},
		"appVersion":   {csv.Spec.Version, got.AppVersion},
		"kubeVersion":  {">=" + csv.Spec.MinKubeVersion + "-0", got.KubeVersion},
		"home":         {repository, got.Home},
		"sources":      {[]string{repository}, got.Sources},
		"description":  {csv.Metadata.Annotations["description"], got.Description},
		"keywords":     {csv.Spec.Keywords, got.Keywords},
		"maintainers":  {csv.Spec.Maintainers, got.Maintainers},
		"capabilities": {csv.Metadata.Annotations["capabilities"], got.Annotations["artifacthub.io/operatorCapabilities"]},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s of Chart.yaml is not that of the bundle: -bundle +chart\n%s", name, diff)
		}
	}
}

// The templates leave out flags that say what the operator does anyway, so the
// chart's defaults have to be the operator's.
func TestDefaultsAreTheOperators(t *testing.T) {
	program, err := operator.Program()
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.CommandContext(t.Context(), program, "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, help)
	}
	leaves := leavesOf("", standardValues(t))
	standard := render(t, "", withoutCRDs)
	name := func(object string) string { return strings.Fields(object)[1] }
	for flag, want := range map[string]string{
		"workers":               fmt.Sprint(leaves["workers"]),
		"webhook-port":          fmt.Sprint(leaves["webhook.port"]),
		"webhook-secret":        "jobflow-operator-webhook-server-cert",
		"webhook-service":       "jobflow-operator-webhook-service",
		"webhook-configuration": name(webhooks),
		"webhook-cert-dir":      strings.Trim(at(t, standard, deployment, in(container, ".volumeMounts[0].mountPath")), `"`),
		"metrics-bind-address":  fmt.Sprintf(":%v", leaves["metrics.port"]),
		"metrics-secure":        fmt.Sprint(leaves["metrics.secure"]),
		"enable-webhooks":       fmt.Sprint(leaves["webhook.enabled"]),
	} {
		found := regexp.MustCompile(`(?s)\n  -` + flag + `\b.*?\(default "?(.*?)"?\)\n`).FindSubmatch(help)
		if found == nil || string(found[1]) != want {
			t.Errorf("--%s is %s by default, the chart takes it for %s", flag, found, want)
		}
	}
}

// Every value has its row, with what it is by default; make verify shows what else
// of README.md is not as values.yaml says.
func TestREADME(t *testing.T) {
	readme := manifests.Read(t, "charts/jobflow-operator/README.md")
	for value := range leavesOf("", standardValues(t)) {
		rows := 0
		for path := value; path != ""; path = path[:max(0, strings.LastIndex(path, "."))] {
			rows += bytes.Count(readme, []byte("| `"+path+"` |"))
		}
		if rows != 1 {
			t.Errorf("%s has %d rows in README.md", value, rows)
		}
	}
}

// Helm keeps a release, its chart and what it rendered in a Secret, of at most
// 1 MiB.
func TestReleaseFits(t *testing.T) {
	text, err := template(t.Context(), "{networkPolicy: {enabled: true}, podDisruptionBudget: {enabled: true}, monitoring: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboard: {enabled: true}}}", prometheusOperator)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]any{"manifest": string(text)}
	err = filepath.WalkDir(chart, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		kept[path] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	// The release is encoded in base64, and the Secret that it is in again.
	size := base64.StdEncoding.EncodedLen(base64.StdEncoding.EncodedLen(packed.Len()))
	t.Logf("a release takes about %d KiB", size>>10)
	if size > 800<<10 {
		t.Errorf("a release takes about %d bytes: a Secret holds 1 MiB", size)
	}
}

// What NOTES.txt tells to wait for is there.
func TestNotes(t *testing.T) {
	for values, want := range map[string][]string{
		"": {
			"rollout status deployment/jobflow-operator-controller-manager",
			"kubectl wait validatingwebhookconfiguration/jobflow-operator-validating-webhook-configuration",
		},
		"webhook: {enabled: false}": {"Admission is off"},
		"crds: {install: false}":    {"The CRDs are not part of this release"},
		"crds: {keep: false}":       {"helm uninstall deletes every JobFlow"},
	} {
		text, err := manifests.Helm(t.Context(), values, "install", release, chart, "--namespace", namespace, "--dry-run=client", "--values", "-", "--hide-secret")
		if err != nil {
			t.Fatal(err)
		}
		_, notes, _ := strings.Cut(string(text), "NOTES:")
		for _, words := range want {
			if !strings.Contains(notes, words) {
				t.Errorf("%q: the notes do not say %q:\n%s", values, words, notes)
			}
		}
		if values == "webhook: {enabled: false}" && strings.Contains(notes, "validatingwebhookconfiguration") {
			t.Errorf("the notes wait for webhooks that are off:\n%s", notes)
		}
	}
}
