package observability_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// expressions are all queries of the rules and of the dashboard, by where they
// stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	rules, _ := loadRules(t)
	for _, r := range rules {
		found["alert "+r.Alert] = r.Expr
	}
	d := loadDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			found["panel "+p.Title+" "+target.RefID] = grafana.Replace(target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		var query struct {
			Query string `json:"query"`
		}
		if err := json.Unmarshal(v.Query, &query); err != nil {
			t.Fatal(err)
		}
		match := labelValues.FindStringSubmatch(query.Query)
		if match == nil {
			t.Fatalf("variable %s: cannot read %q", v.Name, query.Query)
		}
		found["variable "+v.Name] = "count by (" + match[2] + ") (" + match[1] + ")"
	}
	return found
}

var (
	// grafana puts in what Grafana does before it asks Prometheus.
	grafana = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$namespace", ".*")

	labelValues = regexp.MustCompile(`^label_values\((.+), *(\w+)\)$`)
)

// targetLabels are on every series, from the ServiceMonitor and from Prometheus.
var targetLabels = map[string]bool{"namespace": true, "pod": true, "instance": true, "job": true, "service": true, "endpoint": true, "container": true}

// check says what of an expression the series cannot give.
func (s series) check(expr string) (problems []string) {
	root, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(root, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			problems = append(problems, s.checkSelector(n)...)
		case *parser.AggregateExpr:
			if !n.Without {
				problems = append(problems, s.checkLabels(n.Expr, n.Grouping)...)
			}
		case *parser.BinaryExpr:
			if n.VectorMatching != nil && n.VectorMatching.On {
				problems = append(problems, s.checkLabels(n.LHS, n.VectorMatching.MatchingLabels)...)
				problems = append(problems, s.checkLabels(n.RHS, n.VectorMatching.MatchingLabels)...)
			}
		}
		return nil
	})
	return problems
}

// checkSelector looks for series that a selector takes. A matcher that no value
// passes is a mistake, even one that excludes: the value that it is about has to be
// one that can occur.
func (s series) checkSelector(n *parser.VectorSelector) (problems []string) {
	name := n.Name
	if s[name] == nil {
		return []string{"no metric " + name}
	}
	for _, m := range n.LabelMatchers {
		if m.Name == model.MetricNameLabel || targetLabels[m.Name] {
			continue
		}
		values, known := s[name][m.Name]
		if !known {
			problems = append(problems, name+" has no label "+m.Name)
			continue
		}
		about := m
		switch m.Type {
		case labels.MatchNotEqual:
			about = labels.MustNewMatcher(labels.MatchEqual, m.Name, m.Value)
		case labels.MatchNotRegexp:
			about = labels.MustNewMatcher(labels.MatchRegexp, m.Name, m.Value)
		case labels.MatchEqual, labels.MatchRegexp:
		}
		matched := false
		for value := range values {
			matched = matched || about.Matches(value)
		}
		if !matched {
			problems = append(problems, name+" has nothing for "+m.String())
		}
	}
	return problems
}

// checkLabels looks for labels in what an expression gives.
func (s series) checkLabels(expr parser.Expr, names []string) (problems []string) {
	for _, name := range names {
		if !targetLabels[name] {
			problems = append(problems, s.checkLabel(expr, name)...)
		}
	}
	return problems
}

func (s series) checkLabel(node parser.Node, label string) (problems []string) {
	switch n := node.(type) {
	case *parser.VectorSelector:
		if _, known := s[n.Name][label]; !known {
			return []string{n.Name + " has no label " + label}
		}
		return nil
	case *parser.AggregateExpr:
		if slices.Contains(n.Grouping, label) == n.Without {
			return []string{n.String() + " drops the label " + label}
		}
		return nil // it is looked at in its turn
	case *parser.BinaryExpr:
		if n.VectorMatching != nil {
			switch n.VectorMatching.Card {
			case parser.CardManyToOne:
				return s.checkLabel(n.LHS, label)
			case parser.CardOneToMany:
				return s.checkLabel(n.RHS, label)
			case parser.CardOneToOne, parser.CardManyToMany:
			}
		}
	}
	for child := range parser.ChildrenIter(node) {
		problems = append(problems, s.checkLabel(child, label)...)
	}
	return problems
}

// The check itself finds what is wrong.
func TestCheck(t *testing.T) {
	s := series{"a_total": {"kind": {"X": true}}, "info": {}}
	for expr, want := range map[string]string{
		`sum by (kind, pod) (rate(a_total{kind="X", namespace="ops"}[5m]))`: "",
		`a_total * on (instance) group_left () max by (instance) (info)`:    "",
		`b_total`:                       "no metric b_total",
		`a_total{reason="X"}`:           "a_total has no label reason",
		`a_total{kind="Y"}`:             `a_total has nothing for kind="Y"`,
		`a_total{kind!="Y"}`:            `a_total has nothing for kind!="Y"`,
		`a_total{kind=~"Y.*"}`:          `a_total has nothing for kind=~"Y.*"`,
		`sum by (reason) (a_total)`:     "a_total has no label reason",
		`a_total * on (kind) info`:      "info has no label kind",
		`sum by (kind) (sum (a_total))`: "sum(a_total) drops the label kind",
		`sum by (kind) (a_total * on (pod) group_left () info)`:  "",
		`sum by (kind) (info * on (pod) group_right () a_total)`: "",
		`sum(rate(a_total[5m])) by `:                             "parse error",
	} {
		got := strings.Join(s.check(expr), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}
