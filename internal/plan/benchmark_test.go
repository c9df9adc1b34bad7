package plan_test

import (
	"fmt"
	"testing"

	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// A flow half-way: of its steps, each of which depends on three before it, half
// have Succeeded, ten run, and the others wait. ns/step stays the same for every
// size.
func BenchmarkFlow(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		var steps []string
		var runs []runBuilder
		var list []jobBuilder
		for i := range n {
			name := fmt.Sprintf("s%d", i)
			step := name + ":"
			for d := max(0, i-3); d < i; d++ {
				step += fmt.Sprintf(" s%d", d)
			}
			steps = append(steps, step)
			switch {
			case i < n/2:
				runs, list = append(runs, run(name).succeeded()), append(list, job(name).complete())
			case i < n/2+10:
				runs, list = append(runs, run(name).running()), append(list, job(name))
			}
		}
		flow, observed := newFlow(steps...).recorded(runs...), seen(list...).forFlow()
		g := graphOf(b, flow.JobFlow)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := plan.Flow(flow.JobFlow, g, observed, now)
				status.Flow(flow.JobFlow, &p, now)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
		})
	}
}
