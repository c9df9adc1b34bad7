package trials

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// clockJumps steps the clock of the operator at each of its writes, to what comes next
// in a list, over and over.
func clockJumps(ahead ...time.Duration) scenario.Inject {
	return func(w *scenario.World) *scenario.Fault {
		var writes, now, steps atomic.Int64
		return &scenario.Fault{
			Injected: func() int { return int(steps.Load()) },
			End:      func() { w.Clock.Set(0) },
			Transports: func(*scenario.Life) []harness.Transport {
				return []harness.Transport{func(next http.RoundTripper) http.RoundTripper {
					return harness.RoundTripper(func(r *http.Request) (*http.Response, error) {
						if harness.IsWrite(r) {
							next := ahead[int(writes.Add(1)-1)%len(ahead)]
							w.Clock.Set(next)
							if now.Swap(int64(next)) != int64(next) {
								steps.Add(1)
							}
						}
						return next.RoundTrip(r)
					})
				}}
			},
		}
	}
}
