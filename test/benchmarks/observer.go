package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// moment is when something was seen of a Job; zero before.
type moment struct{ created, complete time.Time }

// observer watches the Jobs of a namespace, in the same way whoever creates them, so
// that what it sees can be compared.
type observer struct {
	close context.CancelFunc

	mu   sync.Mutex
	jobs map[string]moment
	// complete counts those that are.
	complete int
	err      error
	// changed is closed and made anew with every change.
	changed chan struct{}
}

func observe(ctx context.Context, c client.WithWatch, namespace string) (*observer, error) {
	ctx, stop := context.WithCancel(ctx)
	o := &observer{close: stop, jobs: map[string]moment{}, changed: make(chan struct{})}
	if err := history.Follow(ctx, c, &batchv1.JobList{}, o.see, o.fail, client.InNamespace(namespace)); err != nil {
		stop()
		return nil, err
	}
	return o, nil
}

func (o *observer) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = cmp.Or(o.err, err)
	o.wake()
}

func (o *observer) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *observer) see(event watch.EventType, object client.Object) {
	now, job := time.Now(), object.(*batchv1.Job)
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.jobs[job.Name]
	if event == watch.Added {
		if !seen.created.IsZero() {
			// After a gap in the watch, Jobs that are known are added once more.
			o.err = cmp.Or(o.err, fmt.Errorf("the Job %s was created twice", job.Name))
		}
		seen.created = now
	}
	if seen.complete.IsZero() && flows.JobIs(job, batchv1.JobComplete) {
		seen.complete = now
		o.complete++
	}
	if flows.JobIs(job, batchv1.JobFailed) {
		o.err = cmp.Or(o.err, fmt.Errorf("the Job %s failed", job.Name))
	}
	o.jobs[job.Name] = seen
	o.wake()
}

// await waits until so many Jobs are Complete, and returns what was seen of each.
func (o *observer) await(ctx context.Context, complete int) (map[string]moment, error) {
	for {
		o.mu.Lock()
		changed, err, n := o.changed, o.err, o.complete
		var jobs map[string]moment
		if n == complete {
			jobs = maps.Clone(o.jobs)
		}
		o.mu.Unlock()
		if n > complete {
			return nil, fmt.Errorf("%d Jobs are Complete, where %d were to run", n, complete)
		}
		if err != nil || jobs != nil {
			return jobs, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d Jobs were Complete: %w", n, complete, context.Cause(ctx))
		}
	}
}

// edges are the milliseconds from the last dependency seen Complete to the Job seen
// created, of every Job with dependencies.
func edges(tasks []task, jobs map[string]moment) []float64 {
	var list []float64
	for _, t := range tasks {
		var last time.Time
		for _, dependency := range t.dependencies {
			if end := jobs[dependency].complete; end.After(last) {
				last = end
			}
		}
		if !last.IsZero() {
			list = append(list, float64(jobs[t.job.Name].created.Sub(last).Microseconds())/1000)
		}
	}
	slices.Sort(list)
	return list
}
