// Package crash kills the operator at every write that it makes. See crash_test.go.
package crash

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// moment is when an operator dies, as seen from one of its writes.
type moment int

const (
	// before: the write is decided, and never sent.
	before moment = iota
	// after: it has taken effect, and nobody lives to see the answer.
	after
)

func (m moment) String() string { return [...]string{"before", "after"}[m] }

// killOnce kills the first operator at its write n, counted from 1.
func killOnce(n int, when moment) (name string, inject scenario.Inject) {
	return fmt.Sprintf("killed %s write %d", when, n), killer(func(life, write int) bool { return life == 1 && write == n }, when)
}

// killEach kills each operator at its write n: a crash loop in which each gets a bit
// further. One that is killed before its first write would get nowhere.
func killEach(n int, when moment) (name string, inject scenario.Inject) {
	return fmt.Sprintf("killed again and again %s write %d", when, n), killer(func(_, write int) bool { return write == n }, when)
}

func killer(due func(life, write int) bool, when moment) scenario.Inject {
	return func(*scenario.World) *scenario.Fault {
		var killed atomic.Int64
		return &scenario.Fault{
			Injected: func() int { return int(killed.Load()) },
			Transports: func(life *scenario.Life) []harness.Transport {
				var writes atomic.Int64
				return []harness.Transport{func(next http.RoundTripper) http.RoundTripper {
					return harness.RoundTripper(func(r *http.Request) (*http.Response, error) {
						if !harness.IsWrite(r) || !due(life.Number, int(writes.Add(1))) {
							return next.RoundTrip(r)
						}
						killed.Add(1)
						if when == after {
							response, err := next.RoundTrip(r)
							if err == nil {
								_ = response.Body.Close() // nobody lives to read it
							}
						}
						life.Kill()
						return nil, http.ErrServerClosed
					})
				}}
			},
		}
	}
}
