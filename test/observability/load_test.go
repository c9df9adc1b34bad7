// Package observability_test holds alerts, dashboard and runbooks to each other and
// to the metrics that a running operator serves.
package observability_test

import (
	"encoding/json"
	"testing"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const component = "config/components/monitoring/"

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

// loadRules are the rules of the PrometheusRule, and its spec as a rule file of
// Prometheus.
func loadRules(t *testing.T) (rules []rule, file []byte) {
	t.Helper()
	const name = component + "prometheus_rule.yaml"
	typed := manifests.Load[struct{ Spec struct{ Groups []ruleGroup } }](t, name)
	for _, group := range typed.Spec.Groups {
		rules = append(rules, group.Rules...)
	}
	if len(rules) == 0 {
		t.Fatal("no rules")
	}
	return rules, manifests.Load[struct{ Spec json.RawMessage }](t, name).Spec // JSON is YAML
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
	d := manifests.Load[dashboard](t, component+"dashboard.json") // JSON is YAML
	if len(d.Panels) == 0 {
		t.Fatal("no panels")
	}
	return d
}
