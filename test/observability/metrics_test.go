package observability_test

import (
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"
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

// value is that of the one series with these labels, 0 without one.
func value(families map[string]*dto.MetricFamily, name string, want map[string]string) float64 {
	for _, metric := range families[name].GetMetric() {
		matched := 0
		for _, pair := range metric.GetLabel() {
			if want[pair.GetName()] == pair.GetValue() {
				matched++
			}
		}
		if matched == len(want) {
			return metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return 0
}

func TestMetrics(t *testing.T) {
	o := startOperator(t)
	o.runEverything(t)
	t.Run("what rules and dashboard ask for is what a running operator serves", func(t *testing.T) {
		s := seriesOf(o.scrape(t))
		for where, expr := range expressions(t) {
			for _, problem := range s.check(expr) {
				t.Errorf("%s: %s\n%s", where, problem, expr)
			}
		}
	})
	t.Run("only those who may read them", func(t *testing.T) {
		for token, want := range map[string]int{
			"":                   http.StatusUnauthorized,
			o.token(t, "nobody"): http.StatusForbidden,
		} {
			response, err := o.get(t.Context(), token)
			must(t, err)
			must(t, response.Body.Close())
			if response.StatusCode != want {
				t.Errorf("%s, want %d", response.Status, want)
			}
		}
	})
}
