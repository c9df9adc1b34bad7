package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/operator"
)

// patience is how long the operator may take to come to rest.
const patience = 3 * time.Minute

// trial is one run of the soak.
type trial struct {
	*options
	world    *world
	operator *operator.Process
	load     *load
	samples  []sample
}

func soak(ctx context.Context, o *options) (part *report.Part, err error) {
	s := &trial{options: o}
	if s.world, err = startWorld(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.world.stop()) }()
	started := func(operator.Metrics) bool { return true }
	options := operator.Options{Program: o.operator, Kubeconfig: s.world.kubeconfig}
	if s.operator, err = operator.StartLogged(ctx, options, o.file("soak.log"), started); err != nil {
		return nil, err
	}
	s.load = &load{
		server: s.world.server, random: rand.New(rand.NewPCG(o.seed, 0)),
		lasts: o.every(120, 3*time.Second, 15*time.Second),
	}
	part, err = s.phases(ctx)
	return part, errors.Join(err, s.operator.Stop())
}

// phases: one of every scenario, rest, the load, rest.
func (s *trial) phases(ctx context.Context) (*report.Part, error) {
	warmUp := everything()
	for _, v := range warmUp {
		s.load.begin(ctx, v)
	}
	before, err := s.settle(ctx, 3*time.Second)
	if err != nil {
		return nil, err
	}
	fmt.Printf("warmed up with one of each scenario: %s\n", &before)

	start := time.Now()
	if err := s.underLoad(ctx, start); err != nil {
		return nil, err
	}
	if err := writeCSV(s.file("soak.csv"), s.samples); err != nil {
		return nil, err
	}
	took := time.Since(start)
	after, err := s.settle(ctx, s.rest)
	if err != nil {
		return nil, err
	}
	fmt.Printf("at rest again: %s\n", &after)
	return s.judge(fmt.Sprintf("%d in %s, and %d before", s.flows, took.Round(time.Second), len(warmUp)), &before, &after), nil
}

// underLoad begins the scenarios, and meanwhile cuts connections and takes samples.
func (s *trial) underLoad(ctx context.Context, start time.Time) error {
	loaded, done := context.WithCancel(ctx)
	group, loaded := errgroup.WithContext(loaded)
	meanwhile := func(do func() error) {
		group.Go(func() error {
			if err := do(); loaded.Err() == nil {
				return err
			}
			return nil // the load is over, or another has failed
		})
	}
	group.Go(func() error {
		defer done()
		return s.load.run(loaded, s.flows, s.duration)
	})
	meanwhile(func() error {
		s.world.proxy.cutEvery(loaded, s.every(120, 5*time.Second, time.Minute))
		return nil
	})
	meanwhile(func() error { return s.sampleEvery(loaded, start, s.every(240, 500*time.Millisecond, 15*time.Second)) })
	return group.Wait()
}

func (s *trial) sampleEvery(ctx context.Context, start time.Time, every time.Duration) error {
	show := s.every(12, 10*time.Second, time.Minute)
	shown := start
	for {
		if err := pause(ctx, every); err != nil {
			return err
		}
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		now.at = time.Since(start)
		s.samples = append(s.samples, now)
		if time.Since(shown) >= show {
			shown = time.Now()
			fmt.Printf("%8s  %s\n", now.at.Round(time.Second), &now)
		}
	}
}

func (s *trial) look(ctx context.Context) (sample, error) {
	now, err := readSample(ctx, s.operator)
	if err != nil {
		return now, fmt.Errorf("%w; the operator's log is %s", err, s.file("soak.log"))
	}
	now.begun, now.ended, err = s.load.progress()
	return now, err
}

// settle waits until all scenarios have ended and the operator has had nothing to do for a
// while, and takes a sample once the garbage is collected.
func (s *trial) settle(ctx context.Context, rest time.Duration) (sample, error) {
	quiet, err := s.look(ctx)
	for err == nil && quiet.ended < quiet.begun {
		if err = pause(ctx, 200*time.Millisecond); err == nil {
			quiet, err = s.look(ctx)
		}
	}
	if err != nil {
		return sample{}, err
	}
	since, collected := time.Now(), 0.0
	for deadline := time.Now().Add(rest + patience); ; {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return sample{}, err
		}
		now, err := s.look(ctx)
		if err != nil {
			return sample{}, err
		}
		switch {
		case now.reconciles != quiet.reconciles || now.queued > 0:
			quiet, since, collected = now, time.Now(), 0
		case time.Since(since) >= rest && collected == 0:
			collected = now.gcs
		case collected > 0 && now.gcs >= collected+3:
			return now, nil
		}
		if time.Now().After(deadline) {
			s.load.check(false, "the operator does not come to rest: %s", &now)
			return now, nil
		}
	}
}

// judge says what the run has come to.
func (s *trial) judge(flows string, before, after *sample) *report.Part {
	c := s.load
	part := &report.Part{Name: "soak", Faults: s.world.proxy.count()}
	c.check(after.panics == 0, "%v reconciles panicked", after.panics)
	c.check(after.goroutines <= before.goroutines+10, "%v goroutines at rest, %v before the load", after.goroutines, before.goroutines)

	part.Add("JobFlows and DaemonJobs", flows)
	part.Add("connections cut", s.world.proxy.count())
	for _, curve := range curves {
		second, last, is := flat(column(s.samples, curve.of), curve.slack)
		c.check(is, "%s grows: a median of %.1f %s in the second quarter and %.1f in the last", curve.name, second, curve.unit, last)
		part.Add(curve.name, fmt.Sprintf("median %.1f %s in the second quarter, %.1f in the last", second, curve.unit, last))
	}
	part.Add("peak of resident memory", fmt.Sprintf("%.1f MiB", float64(after.peak)/1024))
	part.Add("goroutines at rest", fmt.Sprintf("%v before, %v after", before.goroutines, after.goroutines))
	grown := after.heapAlloc - before.heapAlloc
	part.Add("heap at rest", fmt.Sprintf("%.1f MiB before, %.1f MiB after, %.0f bytes a scenario", before.heapAlloc/mebi, after.heapAlloc/mebi, grown/float64(s.flows)))
	if s.rest >= eventsForgotten {
		// What leaks of every flow, however little, shows here, and nowhere else.
		c.check(grown <= heapSlack+perFlow*float64(s.flows), "the heap at rest grew by %.1f MiB in %d scenarios", grown/mebi, s.flows)
	}
	part.Add("reconciles", fmt.Sprintf("%.1f a scenario, %v ended in an error", (after.reconciles-before.reconciles)/float64(s.flows), after.errors))
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.took)
	if n := len(c.took); n > 0 {
		part.Add("from creation to end", fmt.Sprintf("p50 %s, p99 %s", c.took[n/2], c.took[n*99/100]))
	}
	part.Checks, part.Violations = c.checks, c.violations
	if c.more > 0 {
		part.Violations = append(part.Violations, fmt.Sprintf("and %d more", c.more))
	}
	return part
}

const (
	// eventsForgotten is when client-go's recorder has let go of the last event: it
	// keeps each for 6 to 12 minutes, to count those that repeat.
	eventsForgotten = 13 * time.Minute
	heapSlack       = 4 * mebi
	perFlow         = 64 // bytes
)

// pause waits for what no watch shows.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// String is one line for a person.
func (s *sample) String() string {
	return fmt.Sprintf("%d begun, %d ended, %.1f MiB resident, %.1f MiB heap, %v goroutines, %v queued, %v reconciles, %v errors",
		s.begun, s.ended, float64(s.rss)/1024, s.heapInUse/mebi, s.goroutines, s.queued, s.reconciles, s.errors)
}
