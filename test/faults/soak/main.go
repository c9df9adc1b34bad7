// Soak runs the operator's program for hours under an even load of all scenarios of
// test/faults/internal/scenario, against a real API server. Its connections are cut now and
// then, nodes come and go, and it is never restarted. Every scenario has to come to its
// outcome, all invariants to hold, nothing to be left, and memory and goroutines to stay
// flat.
//
// Kube-controller-manager does not run: the player of test/faults/internal/harness stands in for it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

type options struct {
	operator string
	out      string
	flows    int
	duration time.Duration
	rest     time.Duration
	seed     uint64
}

func main() {
	var o options
	flag.StringVar(&o.operator, "operator", "", "The operator's program; by default that of the environment variable OPERATOR.")
	flag.StringVar(&o.out, "out", "../bin", "Directory for soak.csv with the samples, and for soak.log with the operator's log.")
	flag.IntVar(&o.flows, "flows", 500, "How many scenarios to run, each of which is a JobFlow or a DaemonJob.")
	flag.DurationVar(&o.duration, "duration", time.Minute, "Time over which to begin them.")
	flag.DurationVar(&o.rest, "rest", 12*time.Second,
		"How long the operator has to have had nothing to do before its heap is compared with that of the beginning. Below 13m its cache of events still holds some of the load, and the heap is shown but not judged.")
	flag.Uint64Var(&o.seed, "seed", 1, "Seed of the random order.")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	part, err := soak(ctx, &o)
	stop()
	if err == nil {
		err = part.Write()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	if len(part.Violations) > 0 {
		os.Exit(1)
	}
}

func (o *options) file(name string) string { return filepath.Join(o.out, name) }

// every is a part of the duration, within bounds.
func (o *options) every(part int, least, most time.Duration) time.Duration {
	return min(max(o.duration/time.Duration(part), least), most)
}
