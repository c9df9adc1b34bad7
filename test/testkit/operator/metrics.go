package operator

import (
	"context"
	"fmt"
	"io"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metrics has the metrics that an operator serves, by name.
type Metrics map[string]*dto.MetricFamily

// Scrape reads the metrics. If token is not empty, it authenticates with it.
func (p *Process) Scrape(ctx context.Context, token string) (Metrics, error) {
	select {
	case <-p.ended:
		return nil, fmt.Errorf("the operator has ended: %s", p.cmd.ProcessState)
	default:
	}
	response, err := p.Get(ctx, token)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // Nothing can be done about it after reading the body.
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("reading metrics: %s: %s", response.Status, body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(response.Body)
}

// Sum adds up the series of a metric that have these labels. A summary counts with its number
// of observations.
func (m Metrics) Sum(name string, labels map[string]string) float64 {
	sum := 0.0
	for _, series := range m[name].GetMetric() {
		matched := 0
		for _, pair := range series.GetLabel() {
			if value, asked := labels[pair.GetName()]; asked && value == pair.GetValue() {
				matched++
			}
		}
		if matched == len(labels) {
			sum += series.GetGauge().GetValue() + series.GetCounter().GetValue() + float64(series.GetSummary().GetSampleCount())
		}
	}
	return sum
}
