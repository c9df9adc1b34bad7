// Package observability_test holds alerts, dashboard and runbooks to each other and
// to the metrics that a running operator serves.
package observability_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// root is the repository's.
var root = filepath.Join("..", "..")

var component = filepath.Join(root, "config", "components", "monitoring")

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type ruleGroup struct {
	Name  string `json:"name"`
	Rules []rule `json:"rules"`
}

type prometheusRule struct {
	Spec struct {
		Groups []ruleGroup `json:"groups"`
	} `json:"spec"`
}

// loadRules are the rules of the PrometheusRule, and its spec as a rule file of
// Prometheus.
func loadRules(t *testing.T) (rules []rule, file []byte) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(component, "prometheus_rule.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var typed prometheusRule
	if err := yaml.Unmarshal(content, &typed); err != nil {
		t.Fatal(err)
	}
	for _, group := range typed.Spec.Groups {
		rules = append(rules, group.Rules...)
	}
	if len(rules) == 0 {
		t.Fatal("no rules")
	}
	var whole struct {
		Spec json.RawMessage `json:"spec"`
	}
	if err := yaml.Unmarshal(content, &whole); err != nil {
		t.Fatal(err)
	}
	return rules, whole.Spec // JSON is YAML
}

type panel struct {
	ID         int    `json:"id"`
	Type       string `json:"type"`
	Title      string `json:"title"`
	Datasource *struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	GridPos struct {
		X, Y, W, H int
	} `json:"gridPos"`
	Targets []struct {
		RefID string `json:"refId"`
		Expr  string `json:"expr"`
	} `json:"targets"`
}

type variable struct {
	Name  string          `json:"name"`
	Type  string          `json:"type"`
	Query json.RawMessage `json:"query"`
}

type dashboard struct {
	UID        string  `json:"uid"`
	Title      string  `json:"title"`
	Panels     []panel `json:"panels"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
}

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(component, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) == 0 {
		t.Fatal("no panels")
	}
	return d
}
