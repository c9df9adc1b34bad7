package observability_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const runbooks = "https://github.com/jobflow-operator/jobflow-operator/blob/main/docs/runbooks/"

func alertNames(t *testing.T) []string {
	t.Helper()
	rules, _ := loadRules(t)
	names := make([]string, len(rules))
	for i := range rules {
		names[i] = rules[i].Alert
	}
	slices.Sort(names)
	return names
}

func TestAlertsSayWhatTheyHaveTo(t *testing.T) {
	rules, _ := loadRules(t)
	for _, r := range rules {
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
		}
		if r.For == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s has no for, summary or description", r.Alert)
		}
		if want := runbooks + r.Alert + ".md"; r.Annotations["runbook_url"] != want {
			t.Errorf("%s has the runbook_url %q, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
	}
}

func TestEveryAlertHasItsRunbook(t *testing.T) {
	paths, err := filepath.Glob(repository.Path("docs/runbooks/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		if name == "README" {
			continue
		}
		pages = append(pages, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"# " + name + "\n", "\n**Meaning.** ", "\n**Impact.** ", "\n## Diagnosis\n", "\n## Mitigation\n", "kubectl"} {
			if !strings.Contains(string(content), part) {
				t.Errorf("%s has no %q", path, part)
			}
		}
	}
	slices.Sort(pages)
	if diff := cmp.Diff(alertNames(t), pages); diff != "" {
		t.Errorf("docs/runbooks (-alerts +pages):\n%s", diff)
	}
}

// The tables of alerts name each, with its severity.
func TestAlertsAreListed(t *testing.T) {
	rules, _ := loadRules(t)
	var want []string
	for _, r := range rules {
		want = append(want, r.Alert+" "+r.Labels["severity"])
	}
	slices.Sort(want)
	row := regexp.MustCompile("(?m)^\\| \\[`?(\\w+)`?\\]\\([^)]*\\) \\| (\\w+) \\|")
	for _, page := range []string{"runbooks/README.md", "guide/monitoring.md"} {
		content := manifests.Read(t, "docs/"+page)
		var got []string
		for _, match := range row.FindAllStringSubmatch(string(content), -1) {
			got = append(got, match[1]+" "+match[2])
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("docs/%s (-alerts +listed):\n%s", page, diff)
		}
	}
}

// Each alert is shown to fire, and shown not to.
func TestEveryAlertHasCases(t *testing.T) {
	cases := manifests.Load[struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string `json:"alertname"`
				ExpAlerts []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}](t, alertCases)
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range cases.Tests {
		for _, c := range test.AlertRuleTest {
			if len(c.ExpAlerts) > 0 {
				fires[c.Alertname] = true
			} else {
				silent[c.Alertname] = true
			}
		}
	}
	for _, name := range alertNames(t) {
		if !fires[name] || !silent[name] {
			t.Errorf("%s: fires in a case: %t; is silent in a case: %t", name, fires[name], silent[name])
		}
	}
}
