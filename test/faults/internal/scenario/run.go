package scenario

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// soon tells a status that waits to be written from an operator at rest. A status waits for
// half a second and a millisecond a step, or nine times as long as its last write took; an
// operator at rest retries what no watch shows after ten seconds.
const soon = 9 * time.Second

// limit is there for runs that never end; the machine may be busy.
var limit = flag.Duration("limit", 2*time.Minute, "How long one run may take.")

// Fault is what goes wrong in one run.
type Fault struct {
	// Transport stands between an operator and the API server; nil for none.
	Transport func(life *Life) harness.Transport
	// Injected counts how many times something went wrong.
	Injected atomic.Int64
	// Accepts says whether the world, as it is, will do as the end; nil if only the
	// outcome of the scenario does.
	Accepts func(w *World) bool
	// Lag is how long something may be held back before the operator hears of it.
	Lag time.Duration
	// Standby has two operators with leader election at any time.
	Standby bool
	// End ends the fault, before what is left is looked at; nil if there is nothing to
	// end.
	End func()
}

// Life is one operator of a run: each that starts after another was killed has its own.
type Life struct {
	Number   int // from 1
	World    *World
	operator *harness.Operator
}

// Dead reports whether the life has ended.
func (l *Life) Dead() bool { return isDead(l.operator) }

// Kill ends the life.
func (l *Life) Kill() { l.operator.Kill() }

// Inject makes the fault of a run; nil for a run in which nothing goes wrong.
type Inject func(w *World, fault *Fault)

// Result is what a run has come to.
type Result struct {
	// Writes are those of the first operator.
	Writes []harness.Write
	// Lives are how many operators it took.
	Lives      int
	Injected   int
	Checks     int
	Violations []string
	// Took is the time from the creation of the JobFlow or DaemonJob to its end; 0 if it
	// was deleted before.
	Took time.Duration
}

// run is a run in progress.
type run struct {
	world     *World
	fault     *Fault
	operators []*harness.Operator
}

var errTooLong = errors.New("it took too long")

// Run runs a scenario once and checks everything that must hold at its end. An error is
// one of the test, not of the operator.
func Run(ctx context.Context, server *harness.APIServer, s *Scenario, mode Mode, inject Inject) (result Result, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, *limit, errTooLong)
	defer cancel()
	w, err := NewWorld(ctx, server, s, mode)
	if err != nil {
		return result, err
	}
	r := &run{world: w, fault: &Fault{}}
	if inject != nil {
		inject(w, r.fault)
	}
	defer func() {
		for _, operator := range r.operators {
			operator.Kill()
			operator.WaitEnded()
		}
		err = errors.Join(err, w.Close(context.WithoutCancel(ctx)))
	}()

	if err := r.begin(); err != nil {
		return result, err
	}
	if r.fault.Standby {
		if err := r.begin(); err != nil {
			return result, err
		}
	}
	if err := w.start(ctx); err != nil {
		return result, err
	}
	reached := make(chan error, 1)
	go func() { reached <- r.reach(ctx) }()
	if err := r.keepAlive(reached); err != nil {
		result.Violations = append(result.Violations, r.wrongOutcome(err))
	} else if err := r.settle(ctx); err != nil {
		result.Violations = append(result.Violations, fmt.Sprintf("it did not come to rest: %s%s", err, r.explain()))
	}
	if r.fault.End != nil {
		r.fault.End()
	}
	result.Writes, result.Lives = r.operators[0].Writes(), len(r.operators)
	result.Injected = int(r.fault.Injected.Load())
	if len(result.Violations) > 0 {
		return result, nil
	}
	return result, r.check(ctx, &result)
}

// begin starts the next operator.
func (r *run) begin() error {
	options := r.world.operatorOptions()
	life := &Life{Number: len(r.operators) + 1, World: r.world}
	if r.fault.Transport != nil {
		options.Transport = r.fault.Transport(life)
	}
	options.LeaderElection = r.fault.Standby
	options.Starting = func(o *harness.Operator) {
		life.operator = o
		r.operators = append(r.operators, o)
	}
	_, err := r.world.Server.StartOperator(options)
	return err
}

// current is the newest operator.
func (r *run) current() *harness.Operator { return r.operators[len(r.operators)-1] }

// alive are the operators that live: one, or with Standby two.
func (r *run) alive() []*harness.Operator {
	return slices.DeleteFunc(slices.Clone(r.operators), isDead)
}

// reach makes the moves of the script and waits for the outcome. What the script waits
// for may never come where the fault has brought another end.
func (r *run) reach(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	defer both.Wait() // the fault changes after this
	defer cancel()
	either := make(chan error, 2)
	both.Go(func() {
		if err := r.world.play(ctx); err != nil {
			either <- err
			return
		}
		either <- r.world.Record.Wait(ctx, r.accepted)
	})
	if r.fault.Accepts != nil {
		both.Go(func() { either <- r.world.Record.Wait(ctx, func() bool { return r.fault.Accepts(r.world) }) })
	}
	return <-either
}

func (r *run) accepted() bool {
	return r.world.Outcome() == r.world.scenario.Want || r.fault.Accepts != nil && r.fault.Accepts(r.world)
}

// keepAlive starts a new operator whenever one dies, until the outcome is reached. One
// may have died before this is called.
func (r *run) keepAlive(reached <-chan error) error {
	wanted := len(r.operators)
	for {
		living := r.alive()
		if len(living) < wanted {
			if err := r.begin(); err != nil {
				return err
			}
			continue
		}
		alive, cancel := whileAllLive(context.Background(), living...)
		select {
		case err := <-reached:
			cancel()
			return err
		case <-alive.Done():
			cancel()
		}
	}
}

// settle waits until no operator has anything more to do. One may die of that.
func (r *run) settle(ctx context.Context) error {
	// The write that brought the outcome may have killed the last one.
	if len(r.alive()) == 0 {
		if err := r.begin(); err != nil {
			return err
		}
	}
	if r.fault.Standby {
		// Nobody does anything while nobody leads.
		if err := waitFor(ctx, func() bool { return slices.ContainsFunc(r.alive(), isElected) }); err != nil {
			return err
		}
	}
	// The API server has sent to the operators, too, what the record shows.
	if err := r.world.Record.CatchUp(ctx); err != nil {
		return err
	}
	for _, operator := range r.alive() {
		alive, cancel := whileAllLive(ctx, operator)
		err := operator.WaitIdle(alive, r.fault.Lag, soon)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || isDead(operator) {
			if err := r.begin(); err != nil {
				return err
			}
			return r.settle(ctx)
		}
	}
	return r.world.Record.CatchUp(ctx)
}

// checkLeft checks the invariants and the outcome at the end of a run.
func (r *run) checkLeft(result *Result) {
	result.Checks = len(Invariants) + 1
	for _, invariant := range Invariants {
		for _, broken := range invariant.Broken(r.world) {
			result.Violations = append(result.Violations, invariant.Name+": "+broken)
		}
	}
	if !r.accepted() {
		result.Violations = append(result.Violations, fmt.Sprintf("the outcome did not last: wanted %q, got %q", r.world.scenario.Want, r.world.Outcome()))
	}
}

// check looks at what the run has left, and then whether a new operator leaves it alone.
func (r *run) check(ctx context.Context, result *Result) error {
	w := r.world
	r.checkLeft(result)
	result.Checks++
	for _, operator := range r.alive() {
		if err := operator.Stop(); err != nil {
			return err
		}
	}
	r.fault = &Fault{}
	asked := w.Clock.asked.Load()
	if err := r.begin(); err != nil {
		return err
	}
	if parent, _, _ := w.parent(); parent != nil {
		// Each look at an object begins with the clock.
		if err := waitFor(ctx, func() bool { return w.Clock.asked.Load() > asked }); err != nil {
			return fmt.Errorf("an operator that starts after the end does not look at what there is: %w", err)
		}
	}
	if err := r.current().WaitIdle(ctx, 0, soon); err != nil {
		result.Violations = append(result.Violations, "an operator that starts after the end does not come to rest"+r.explain())
	} else if writes := r.current().Writes(); len(writes) > 0 {
		result.Violations = append(result.Violations, "an operator that starts after the end writes: "+fmt.Sprint(writes))
	}
	return nil
}

// wrongOutcome describes a run that did not reach the outcome of its scenario.
func (r *run) wrongOutcome(err error) string {
	return fmt.Sprintf("%s; wanted %q, got %q%s", err, r.world.scenario.Want, r.world.Outcome(), r.explain())
}

// explain is what else helps to understand a violation.
func (r *run) explain() string {
	message := ""
	if _, summary, runs := r.world.parent(); summary != nil {
		message = summary.Message
		for i := range runs {
			message += fmt.Sprintf("; %s: %s", r.world.short(runs[i].Name), runs[i].Message)
		}
	}
	if len(r.operators) == 0 {
		return fmt.Sprintf(" (message %q)", message)
	}
	const shown = 12
	writes := r.current().Writes()
	return fmt.Sprintf(" (message %q; operator %d has tried %d writes, last %v)",
		message, len(r.operators), len(writes), writes[max(0, len(writes)-shown):])
}
