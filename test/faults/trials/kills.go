package trials

import (
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// side is the side of a write on which the operator dies.
type side int

const (
	// before: the write is decided, and never sent.
	before side = iota
	// after: it has taken effect, and nobody lives to see the answer.
	after
)

// killOnce kills the first operator at its write n, counted from 1.
func killOnce(n int, when side) scenario.Inject {
	return killer(func(life *scenario.Life, write, _ int) bool {
		return life.Number == 1 && write == n
	}, when)
}

// killEach kills each operator right after its write n that took effect: a crash loop in
// which each gets a bit further.
func killEach(n int) scenario.Inject {
	return killer(func(_ *scenario.Life, _, effective int) bool {
		return effective == n
	}, after)
}

// killer kills operators when it is due, by the number of writes and of those that took
// effect, this one included if it is after it.
func killer(due func(life *scenario.Life, write, effective int) bool, when side) scenario.Inject {
	return func(_ *scenario.World, fault *scenario.Fault) {
		fault.Transport = func(life *scenario.Life) harness.Transport {
			var writes, effective atomic.Int64
			return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				if !harness.IsWrite(r) {
					return next.RoundTrip(r)
				}
				write := int(writes.Add(1))
				if when == before && due(life, write, int(effective.Load())) {
					fault.Injected.Add(1)
					life.Kill()
					return nil, errKilled
				}
				response, err := next.RoundTrip(r)
				if err != nil {
					return nil, err
				}
				took := effective.Load()
				if response.StatusCode < http.StatusBadRequest {
					took = effective.Add(1)
				}
				if when == after && due(life, write, int(took)) {
					fault.Injected.Add(1)
					life.Kill()
					return nil, errors.Join(errKilled, response.Body.Close())
				}
				return response, nil
			}
		}
	}
}

var errKilled = errors.New("the operator was killed at this write")
