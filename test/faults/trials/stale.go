package trials

import (
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// behind is how long the API server lags for a restarted operator.
const behind = 500 * time.Millisecond

// lagging kills the operator right after its write n. The next operator gets its answers from
// an API server that lags: it lists some resources, or all if none are given, as they were at an
// earlier version, and sends later events late. Live reads are up to date, as the API
// guarantees.
//
// Streaming lists are refused, so the operator falls back to plain lists. The stale list is
// real: the API server is asked for exactly that version.
func lagging(n int, version func(*scenario.World) int64, resources ...string) scenario.Inject {
	return func(w *scenario.World, fault *scenario.Fault) {
		var old atomic.Int64
		fault.Lag = behind
		fault.Transport = func(life *scenario.Life) harness.Transport {
			if life.Number == 1 {
				return killing(life, after, func(write, _ int) bool { return write == n }, func() { old.Store(version(w)) })
			}
			began := time.Now()
			concerns := func(r *http.Request) bool { return len(resources) == 0 || slices.Contains(resources, resourceOf(r)) }
			return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				query := r.URL.Query()
				switch {
				case !concerns(r) || r.Method != http.MethodGet:
					return next.RoundTrip(r)
				case query.Get("sendInitialEvents") == "true":
					return answer(r, http.StatusBadRequest, metav1.StatusReasonBadRequest), nil
				case harness.IsWatch(r):
					return reshape(next, r, func(s *stream) { holdUntil(s, began.Add(behind)) }, &fault.Injected)
				case query.Get("resourceVersion") == "0":
					fault.Injected.Add(1)
					r = r.Clone(r.Context())
					query.Set("resourceVersion", strconv.FormatInt(old.Load(), 10))
					query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchExact))
					r.URL.RawQuery = query.Encode()
				}
				return next.RoundTrip(r)
			}
		}
	}
}
