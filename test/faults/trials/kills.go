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
	// before: the operator has decided on the write, but it is not sent.
	before side = iota
	// after: the write has taken effect, but the operator dies before it gets the response.
	after
)

// killOnce kills the first operator at its write n, counted from 1.
func killOnce(n int, when side) scenario.Inject {
	return killer(func(life *scenario.Life, write, _ int) bool {
		return life.Number == 1 && write == n
	}, when)
}

// killEach kills each operator right after its nth write that took effect: a crash loop in
// which each operator gets a bit further.
func killEach(n int) scenario.Inject {
	return killer(func(_ *scenario.Life, _, effective int) bool {
		return effective == n
	}, after)
}

// killer kills the operators for which due returns true.
func killer(due func(life *scenario.Life, write, effective int) bool, when side) scenario.Inject {
	return func(_ *scenario.World, fault *scenario.Fault) {
		fault.Transport = func(life *scenario.Life) harness.Transport {
			return killing(life, when, func(write, effective int) bool { return due(life, write, effective) },
				func() { fault.Injected.Add(1) })
		}
	}
}

// killing kills an operator at the write for which due returns true, and calls killed first. It
// passes the number of writes, including the current one, and the number of writes that took
// effect, which includes the current one only if when is after.
func killing(life *scenario.Life, when side, due func(write, effective int) bool, killed func()) harness.Transport {
	var writes, effective atomic.Int64
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if !harness.IsWrite(r) {
			return next.RoundTrip(r)
		}
		write := int(writes.Add(1))
		if when == before && due(write, int(effective.Load())) {
			killed()
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
		if when == after && due(write, int(took)) {
			killed()
			life.Kill()
			return nil, errors.Join(errKilled, response.Body.Close())
		}
		return response, nil
	}
}

var errKilled = errors.New("the operator was killed at this write")
