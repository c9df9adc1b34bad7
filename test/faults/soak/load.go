package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// load begins scenarios, many of them concurrently, and counts their results.
type load struct {
	server *harness.APIServer
	random *rand.Rand
	// lasts is how long each outcome must hold.
	lasts time.Duration
	round []variant // what is left of this one

	mu           sync.Mutex
	begun, ended int
	took         []time.Duration
	checks       int
	violations   []string
	more         int
	err          error // of the test
}

// variant is a scenario in one of its modes.
type variant struct {
	scenario *scenario.Scenario
	mode     scenario.Mode
}

// mostViolations are kept; a fault that breaks everything needs no more of them.
const mostViolations = 50

// check checks one thing that must hold.
func (l *load) check(holds bool, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checks++
	if !holds {
		l.violated(fmt.Sprintf(format, args...))
	}
}

// violated records a violation. The caller holds mu.
func (l *load) violated(violation string) {
	if len(l.violations) == mostViolations {
		l.more++
		return
	}
	l.violations = append(l.violations, violation)
}

// everything is every scenario in each of its modes.
func everything() []variant {
	var all []variant
	for _, s := range scenario.All() {
		for _, mode := range s.Modes() {
			all = append(all, variant{&s, mode})
		}
	}
	return all
}

// next begins the next scenario of a round. A round has every scenario in each mode once, in
// random order.
func (l *load) next(ctx context.Context) {
	if len(l.round) == 0 {
		l.round = everything()
		l.random.Shuffle(len(l.round), func(i, j int) { l.round[i], l.round[j] = l.round[j], l.round[i] })
	}
	l.begin(ctx, l.round[0])
	l.round = l.round[1:]
}

// begin returns at once. A scenario that has begun goes on when the load is over.
func (l *load) begin(ctx context.Context, v variant) {
	ctx = context.WithoutCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun++
	go func() {
		result, err := scenario.RunExternal(ctx, l.server, v.scenario, v.mode, l.lasts)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended++
		if err != nil && l.err == nil {
			l.err = fmt.Errorf("%s/%s: %w", v.scenario.Name, v.mode, err)
		}
		l.checks += result.Checks
		for _, violation := range result.Violations {
			l.violated(fmt.Sprintf("%s/%s: %s", v.scenario.Name, v.mode, violation))
		}
		if result.Took > 0 {
			l.took = append(l.took, result.Took)
		}
	}()
}

// run begins scenarios at an even pace.
func (l *load) run(ctx context.Context, count int, duration time.Duration) error {
	start := time.Now()
	for i := range count {
		if err := pause(ctx, time.Until(start.Add(duration/time.Duration(count)*time.Duration(i)))); err != nil {
			return err
		}
		l.next(ctx)
	}
	return nil
}

// progress returns how many scenarios have begun and how many have ended.
func (l *load) progress() (begun, ended int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun, l.ended, l.err
}
