// Benchmarks measures the operator on a simulated cluster, each workload beside its
// floor: a driver that creates the same Jobs with a bare client the moment a watch
// shows that they may start. It writes tables, plots and raw figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := time.Now()
	b := &bench{say: func(format string, args ...any) {
		fmt.Printf("[%6s] %s\n", time.Since(began).Round(time.Second), fmt.Sprintf(format, args...))
	}}
	// The default set has a flag --kubeconfig of controller-runtime.
	flags := flag.NewFlagSet("benchmarks", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "`file` that leads to the cluster, as an administrator")
	flags.StringVar(&b.manager, "manager", "", "the operator's program, a `file`")
	flags.StringVar(&b.auditLog, "audit-log", "", "the API server's audit log, a `file`")
	flags.StringVar(&b.dir, "work", "", "`directory` for logs and credentials")
	out := flags.String("out", "", "`directory` for benchmarks.md and what belongs to it; empty only prints")
	runs := flags.Int("runs", 3, "how often each workload is run, on either side")
	only := flags.String("only", "", "workloads by `keys`, separated by commas; empty runs all")
	versions := flags.String("versions", "", "what is measured, in words, for the page")
	_ = flags.Parse(os.Args[1:]) // It exits on an error.

	missed, err := b.main(ctx, *kubeconfig, *only, *runs, *out, *versions)
	if missed > 0 {
		fmt.Printf("%d goals are missed\n", missed)
	}
	return err
}

func (b *bench) main(ctx context.Context, kubeconfig, only string, runs int, out, versions string) (missed int, err error) {
	chosen, err := choose(workloads(), only)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return 0, err
	}
	if err := b.connect(ctx, kubeconfig); err != nil {
		return 0, fmt.Errorf("setting up: %w", err)
	}
	if err := b.readNodes(ctx); err != nil {
		return 0, err
	}
	var results []*result
	var failed error
	for i := range chosen {
		r, err := b.run(ctx, &chosen[i], results, runs)
		if err != nil {
			failed = fmt.Errorf("%s: %w", chosen[i].key, err)
			break
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return 0, failed
	}
	// What was measured before a failure took long to measure.
	page := newPage(results, versions)
	fmt.Println()
	missed = page.print(os.Stdout)
	if out == "" {
		return missed, failed
	}
	if err := page.write(out); err != nil {
		return missed, errors.Join(failed, err)
	}
	b.say("written: %s", filepath.Join(out, "benchmarks.md"))
	return missed, failed
}

// choose takes workloads by key, and those that they are compared with.
func choose(all []workload, only string) ([]workload, error) {
	if only == "" {
		return all, nil
	}
	wanted := strings.Split(only, ",")
	for i := range all {
		if slices.Contains(wanted, all[i].key) && all[i].base != "" {
			wanted = append(wanted, all[i].base)
		}
	}
	var chosen []workload
	for i := range all {
		if slices.Contains(wanted, all[i].key) {
			chosen = append(chosen, all[i])
		}
	}
	for _, key := range wanted {
		if !slices.ContainsFunc(chosen, func(w workload) bool { return w.key == key }) {
			return nil, fmt.Errorf("there is no workload %q", key)
		}
	}
	return chosen, nil
}

// run measures one workload: floor and operator in turn.
func (b *bench) run(ctx context.Context, w *workload, earlier []*result, runs int) (r *result, err error) {
	r = &result{Key: w.key, Title: w.title, Base: w.base, goals: w.goals}
	for _, other := range earlier {
		if other.Key == w.base {
			r.base = other
		}
	}
	if w.nodes > 0 {
		b.say("%s: adding nodes", w.key)
		restore, err := b.setNodes(ctx, w.nodes)
		defer func() {
			if restoreErr := restore(ctx); err == nil {
				err = restoreErr
			}
		}()
		if err != nil {
			return nil, err
		}
	}
	if w.before != nil {
		b.say("%s: filling the cluster", w.key)
		if err := b.populate(ctx, w.before); err != nil {
			return nil, fmt.Errorf("filling the cluster for %s: %w", w.key, err)
		}
		// Once this is through, the Job controller is through with what came before: of
		// 50,000 Jobs it took two minutes.
		if _, err := b.measureFloor(ctx, w); err != nil {
			return nil, fmt.Errorf("waiting for the Job controller to be done with what the cluster was filled with: %w", err)
		}
	}
	r.Steps = len(w.tasks("", b.nodeNames))
	if w.itsFloor {
		r.Floor = r.base.Floor
	}
	for i := range runs {
		if !w.itsFloor {
			floor, err := b.measureFloor(ctx, w)
			if err != nil {
				return nil, err
			}
			r.Floor = append(r.Floor, floor)
		}
		operator, err := b.measureOperator(ctx, w)
		if err != nil {
			return nil, err
		}
		r.Operator = append(r.Operator, operator)
		b.say("%s: run %d of %d: floor %.2f s, operator %.2f s", w.key, i+1, runs, r.Floor[i].Wall, operator.Wall)
	}
	return r, nil
}
