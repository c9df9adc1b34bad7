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
		var writes, now atomic.Int64
		fault := scenario.Fault{End: func() { w.Clock.Set(0) }}
		return injecting(fault, func(_ *scenario.World, _ *scenario.Life, steps *atomic.Int64) trip {
			return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				if harness.IsWrite(r) {
					then := int64(ahead[int(writes.Add(1)-1)%len(ahead)])
					w.Clock.Set(time.Duration(then))
					if now.Swap(then) != then {
						steps.Add(1)
					}
				}
				return next.RoundTrip(r)
			}
		})(w)
	}
}
