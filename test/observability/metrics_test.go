package observability_test

import (
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
)

// series are the metrics that an operator serves, with the values of their labels.
type series map[string]map[string]map[string]bool

func seriesOf(families map[string]*dto.MetricFamily) series {
	s := series{}
	add := func(name string, metric *dto.Metric, more ...string) {
		if s[name] == nil {
			s[name] = map[string]map[string]bool{}
		}
		for _, label := range more {
			s[name][label] = map[string]bool{}
		}
		for _, pair := range metric.GetLabel() {
			if s[name][pair.GetName()] == nil {
				s[name][pair.GetName()] = map[string]bool{}
			}
			s[name][pair.GetName()][pair.GetValue()] = true
		}
	}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetType() == dto.MetricType_HISTOGRAM {
				add(name+"_bucket", metric, "le")
				add(name+"_sum", metric)
				add(name+"_count", metric)
				continue
			}
			add(name, metric)
		}
	}
	return s
}

func TestMetrics(t *testing.T) {
	w := startWorld(t)
	w.runEverything(t)
	t.Run("what rules and dashboard ask for is what a running operator serves", func(t *testing.T) {
		metrics, err := w.Scrape(t.Context(), w.reader)
		must(t, err)
		s := seriesOf(metrics)
		for where, expr := range expressions(t) {
			for _, problem := range s.check(expr) {
				t.Errorf("%s: %s\n%s", where, problem, expr)
			}
		}
	})
	t.Run("only those who may read them", func(t *testing.T) {
		nobody, err := apiserver.NewServiceAccount(t.Context(), w.k8s, namespace, "nobody")
		must(t, err)
		for token, want := range map[string]int{"": http.StatusUnauthorized, nobody: http.StatusForbidden} {
			response, err := w.Get(t.Context(), token)
			must(t, err)
			must(t, response.Body.Close())
			if response.StatusCode != want {
				t.Errorf("%s, want %d", response.Status, want)
			}
		}
	})
}
