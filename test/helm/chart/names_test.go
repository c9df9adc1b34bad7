package chart_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// standardName is one of the names, or the namespace, of the default release; the
// label with the chart's version is none.
var standardName = regexp.MustCompile(`"(--[a-z-]+=)?` + release + `-[a-z][^"]*`)

// Another release name gives other names, everywhere: whatever one object says of
// another is true.
func TestNames(t *testing.T) {
	standard := render(t, "")
	for name, c := range map[string]struct{ release, namespace, prefix string }{
		"a name of its own":         {"batch", "jobs", "batch-jobflow-operator"},
		"a name with the chart's":   {"my-jobflow-operator", "jobs", "my-jobflow-operator"},
		"the longest that Helm has": {strings.Repeat("a", 53), "jobs", strings.Repeat("a", 28)},
		"cut at a dash":             {"production-a", "jobs", "production-a-jobflow-operato"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := manifests.Helm(t.Context(), "", "template", c.release, chart, "--namespace", c.namespace)
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, text)
			if len(got) != len(standard) {
				t.Errorf("%d objects, by default %d", len(got), len(standard))
			}
			for _, o := range got {
				if o.GetKind() == "CustomResourceDefinition" {
					continue
				}
				if !strings.HasPrefix(o.GetName(), c.prefix+"-") {
					t.Errorf("%s is not named after %s", manifests.ID(o), c.prefix)
				}
				if o.GetNamespace() != "" && o.GetNamespace() != c.namespace {
					t.Errorf("%s is in %s", manifests.ID(o), o.GetNamespace())
				}
				if errs := validation.IsDNS1035Label(o.GetName()); o.GetKind() == "Service" && len(errs) > 0 {
					t.Errorf("%s: %v", manifests.ID(o), errs)
				}
				text, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				if other := standardName.Find(text); other != nil {
					t.Errorf("%s still says %s", manifests.ID(o), other)
				}
			}
			want := `["--leader-elect",` +
				`"--webhook-secret=` + c.prefix + `-webhook-server-cert",` +
				`"--webhook-service=` + c.prefix + `-webhook-service",` +
				`"--webhook-configuration=` + c.prefix + `-validating-webhook-configuration"]`
			if got := at(t, got, "Deployment "+c.prefix+"-controller-manager", args); got != want {
				t.Errorf("the operator is told %s, want %s", got, want)
			}
			for object, name := range map[string]string{
				"Role " + c.prefix + "-certificate-role":        c.prefix + "-webhook-server-cert",
				"ClusterRole " + c.prefix + "-certificate-role": c.prefix + "-validating-webhook-configuration",
			} {
				if diff := cmp.Diff(`["`+name+`"]`, at(t, got, object, "{.rules[-1:].resourceNames}")); diff != "" {
					t.Errorf("%s: -want +got\n%s", object, diff)
				}
			}
		})
	}
}

// As part of another chart, which may have it switched on and off by a condition.
func TestAsSubchart(t *testing.T) {
	parent := t.TempDir()
	for path, content := range map[string]string{
		"Chart.yaml":  "{apiVersion: v2, name: parent, version: 1.0.0, dependencies: [{name: jobflow-operator, version: 0.2.0, condition: jobflow-operator.enabled, repository: 'file://" + chart + "'}]}",
		"values.yaml": "{global: {registry: x}, jobflow-operator: {enabled: true, replicas: 2}}",
	} {
		if err := os.WriteFile(filepath.Join(parent, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(parent, "charts", "jobflow-operator"), os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	text, err := manifests.Helm(t.Context(), "", "template", release, parent)
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, parse(t, text), deployment, "{.spec.replicas}"); got != "2" {
		t.Errorf("replicas %s, want 2", got)
	}
	text, err = manifests.Helm(t.Context(), "", "template", release, parent, "--set", "jobflow-operator.enabled=false")
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, text); len(got) != 0 {
		t.Errorf("switched off, it renders %d objects", len(got))
	}
}
