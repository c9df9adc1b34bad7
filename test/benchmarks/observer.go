package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// moment is when something was seen of a Job; zero before.
type moment struct{ created, complete time.Time }

// observer watches the Jobs of a namespace, in the same way whoever creates them, so
// that what it sees can be compared.
type observer struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu   sync.Mutex
	jobs map[string]moment
	// complete counts those that are.
	complete int
	err      error
	// changed is closed and made anew with every change.
	changed chan struct{}
}

func observe(ctx context.Context, clients kubernetes.Interface, namespace string) (*observer, error) {
	ctx, stop := context.WithCancel(ctx)
	stream, err := watchJobs(ctx, clients, namespace)
	if err != nil {
		stop()
		return nil, err
	}
	o := &observer{stop: stop, jobs: map[string]moment{}, changed: make(chan struct{})}
	o.done.Go(func() {
		defer stream.Stop()
		for event := range stream.ResultChan() {
			if err := o.see(event); err != nil {
				o.fail(err)
				return
			}
		}
		if ctx.Err() == nil {
			o.fail(errors.New("the watch of Jobs ended"))
		}
	})
	return o, nil
}

// watchJobs watches the Jobs of a namespace. Where the API server ends the watch, as it
// does with those that are slow, it goes on where that ended.
func watchJobs(ctx context.Context, clients kubernetes.Interface, namespace string) (watch.Interface, error) {
	jobs := clients.BatchV1().Jobs(namespace)
	list, err := jobs.List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, err
	}
	return watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return jobs.Watch(ctx, options)
		},
	})
}

func (o *observer) close() {
	o.stop()
	o.done.Wait()
}

func (o *observer) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	o.wake()
}

func (o *observer) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *observer) see(event watch.Event) error {
	now := time.Now()
	job, ok := event.Object.(*batchv1.Job)
	if !ok {
		return fmt.Errorf("watching Jobs: %v", event.Object)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.jobs[job.Name]
	if event.Type == watch.Added {
		if !seen.created.IsZero() {
			return fmt.Errorf("the Job %s was created twice", job.Name)
		}
		seen.created = now
	}
	if seen.complete.IsZero() && isTrue(job, batchv1.JobComplete) {
		seen.complete = now
		o.complete++
	}
	if isTrue(job, batchv1.JobFailed) {
		return fmt.Errorf("the Job %s failed", job.Name)
	}
	o.jobs[job.Name] = seen
	o.wake()
	return nil
}

func isTrue(job *batchv1.Job, kind batchv1.JobConditionType) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == kind && c.Status == corev1.ConditionTrue
	})
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
