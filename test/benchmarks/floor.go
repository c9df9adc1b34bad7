package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// task is a Job, with the names of the Jobs that have to be Complete before.
type task struct {
	job          *batchv1.Job
	dependencies []string
}

// tasks are the Jobs that the operator is to make of a workload, made by its own
// code. Nobody owns them: the floor has nothing but Jobs.
func (w *workload) tasks(namespace string, nodes []string) []task {
	var list []task
	for _, flow := range w.flows {
		flow := flow.DeepCopy()
		flow.Namespace = namespace
		for i := range flow.Spec.Flows {
			step := &flow.Spec.Flows[i]
			t := task{job: jobs.ForStep(flow, step, step.JobTemplate)}
			for _, dependency := range step.Dependencies {
				t.dependencies = append(t.dependencies, jobs.Name(flow.Name, dependency, nil))
			}
			list = append(list, t)
		}
	}
	for _, dj := range w.daemonJobs {
		dj := dj.DeepCopy()
		dj.Namespace = namespace
		for _, node := range nodes {
			list = append(list, task{job: jobs.ForNode(dj, node)})
		}
	}
	for i := range list {
		list[i].job.OwnerReferences = nil
	}
	return list
}

// runFloor creates Jobs with a bare client, each at the moment a watch shows that all
// of its dependencies are Complete. Nothing that waits for the condition can be
// faster.
func runFloor(ctx context.Context, c client.WithWatch, namespace string, tasks []task) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	seen, failed := make(chan string), make(chan error, 1)
	fail := func(err error) {
		select {
		case failed <- err:
		default: // The first error is enough.
		}
	}
	note := func(_ watch.EventType, object client.Object) {
		if !flows.JobIs(object.(*batchv1.Job), batchv1.JobComplete) {
			return
		}
		select {
		case seen <- object.GetName():
		case <-ctx.Done():
		}
	}
	if err := history.Follow(ctx, c, &batchv1.JobList{}, note, fail, client.InNamespace(namespace)); err != nil {
		return err
	}

	open := make([]int, len(tasks))
	dependents := map[string][]int{}
	var creating sync.WaitGroup
	start := func(i int) {
		creating.Go(func() {
			if err := c.Create(ctx, tasks[i].job); err != nil {
				fail(err)
			}
		})
	}
	for i, t := range tasks {
		open[i] = len(t.dependencies)
		for _, dependency := range t.dependencies {
			dependents[dependency] = append(dependents[dependency], i)
		}
		if open[i] == 0 {
			start(i)
		}
	}
	complete := map[string]bool{}
	for len(complete) < len(tasks) {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case job := <-seen:
			if complete[job] {
				continue
			}
			complete[job] = true
			for _, i := range dependents[job] {
				if open[i]--; open[i] == 0 {
					start(i)
				}
			}
		}
	}
	creating.Wait()
	return nil
}

// measureFloor runs the floor and observes it.
func (b *bench) measureFloor(ctx context.Context, w *workload) (measurement, error) {
	namespace, err := b.newNamespace(ctx, w.key+"-floor")
	if err != nil {
		return measurement{}, err
	}
	tasks := w.tasks(namespace, b.nodeNames)
	o, err := observe(ctx, b.ours, namespace)
	if err != nil {
		return measurement{}, err
	}
	defer o.close()
	began := time.Now()
	if err := runFloor(ctx, b.floor, namespace, tasks); err != nil {
		return measurement{}, fmt.Errorf("floor of %s: %w", w.key, err)
	}
	seen, err := o.await(ctx, len(tasks))
	if err != nil {
		return measurement{}, fmt.Errorf("floor of %s: %w", w.key, err)
	}
	return measurement{Wall: time.Since(began).Seconds(), Edges: edges(tasks, seen)}, b.clear(ctx, namespace)
}
