package trials

import (
	"net/http"
	"sync/atomic"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// trip is the way of a request of an operator: next leads to the API server.
type trip func(next http.RoundTripper, r *http.Request) (*http.Response, error)

// through lets every request make the trip.
func through(t trip) []harness.Transport {
	return []harness.Transport{func(next http.RoundTripper) http.RoundTripper {
		return harness.RoundTripper(func(r *http.Request) (*http.Response, error) { return t(next, r) })
	}}
}

// injecting completes a fault: tripOf makes the trip of each operator, which counts what
// goes wrong.
func injecting(fault scenario.Fault, tripOf func(w *scenario.World, life *scenario.Life, injected *atomic.Int64) trip) scenario.Inject {
	return func(w *scenario.World) *scenario.Fault {
		var injected atomic.Int64
		f := fault
		f.Injected = func() int { return int(injected.Load()) }
		f.Transports = func(life *scenario.Life) []harness.Transport { return through(tripOf(w, life, &injected)) }
		if fault.Accepts != nil {
			// Until something goes wrong, nothing but the outcome of the scenario will do.
			f.Accepts = func(w *scenario.World) bool { return injected.Load() > 0 && fault.Accepts(w) }
		}
		return &f
	}
}
