package operator

import (
	"os"
	"os/exec"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"k8s.io/utils/ptr"
)

// The process of the test stands in for the operator.
func TestUsage(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{cmd: &exec.Cmd{Process: self}}
	now, peak, err := p.Memory()
	if err != nil || now < 1024 || peak < now {
		t.Errorf("%d KiB, %d at the peak: %v", now, peak, err)
	}
	// The kernel counts in hundredths of a second, so the value may still be 0.
	if cpu, err := p.CPU(); err != nil || cpu < 0 || cpu > 600 {
		t.Errorf("%v seconds of processor time: %v", cpu, err)
	}
}

func TestSum(t *testing.T) {
	series := func(value float64, labels ...string) *dto.Metric {
		m := &dto.Metric{Gauge: &dto.Gauge{Value: &value}}
		for i := 0; i < len(labels); i += 2 {
			m.Label = append(m.Label, &dto.LabelPair{Name: &labels[i], Value: &labels[i+1]})
		}
		return m
	}
	metrics := Metrics{
		"a": {Metric: []*dto.Metric{series(1, "kind", "x", "state", ""), series(2, "kind", "y", "state", ""), series(4, "kind", "y", "state", "s")}},
		"b": {Metric: []*dto.Metric{{Summary: &dto.Summary{SampleCount: ptr.To[uint64](8)}}}},
	}
	for want, got := range map[float64]float64{
		7: metrics.Sum("a", nil),
		6: metrics.Sum("a", map[string]string{"kind": "y"}),
		4: metrics.Sum("a", map[string]string{"kind": "y", "state": "s"}),
		0: metrics.Sum("a", map[string]string{"other": ""}) + metrics.Sum("missing", nil),
		8: metrics.Sum("b", nil),
	} {
		if got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
