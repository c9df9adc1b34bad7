package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
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
func runFloor(ctx context.Context, clients kubernetes.Interface, namespace string, tasks []task) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stream, err := watchJobs(ctx, clients, namespace)
	if err != nil {
		return err
	}
	defer stream.Stop()

	open := make([]int, len(tasks))
	dependents := map[string][]int{}
	var creating sync.WaitGroup
	failed := make(chan error, len(tasks))
	start := func(i int) {
		creating.Go(func() {
			if _, err := clients.BatchV1().Jobs(namespace).Create(ctx, tasks[i].job, metav1.CreateOptions{}); err != nil {
				failed <- err
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
		case event, ok := <-stream.ResultChan():
			if !ok {
				return errors.Join(errors.New("the watch of the floor ended"), ctx.Err())
			}
			job, is := event.Object.(*batchv1.Job)
			if !is {
				return fmt.Errorf("watching Jobs: %v", event.Object)
			}
			if complete[job.Name] || !isTrue(job, batchv1.JobComplete) {
				continue
			}
			complete[job.Name] = true
			for _, i := range dependents[job.Name] {
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
	o, err := observe(ctx, b.admin, namespace)
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
