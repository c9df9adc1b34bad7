package trials

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// clockJumps sets the operator's clock at each of its writes, to the next offset in a list that
// repeats.
func clockJumps(ahead ...time.Duration) scenario.Inject {
	return func(w *scenario.World, fault *scenario.Fault) {
		var writes, now atomic.Int64
		fault.End = func() { w.Clock.Set(0) }
		fault.Transport = func(*scenario.Life) harness.Transport {
			return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				if harness.IsWrite(r) {
					then := ahead[int(writes.Add(1)-1)%len(ahead)]
					w.Clock.Set(then)
					if now.Swap(int64(then)) != int64(then) {
						fault.Injected.Add(1)
					}
				}
				return next.RoundTrip(r)
			}
		}
	}
}
