package scenario

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

type deed = func(ctx context.Context, w *World) error

// release lets Jobs end that the player holds.
func release(runs ...string) deed {
	return func(_ context.Context, w *World) error {
		for _, run := range runs {
			w.Player.Release(w.key(flowName + "-" + run))
			w.Player.Release(w.key(daemonName + "-" + w.node(run)))
		}
		return nil
	}
}

func editFlow(change func(*v1alpha1.JobFlow)) deed {
	return func(ctx context.Context, w *World) error { return edit(ctx, w, &v1alpha1.JobFlow{}, flowName, change) }
}

func editDaemon(change func(*v1alpha1.DaemonJob)) deed {
	return func(ctx context.Context, w *World) error {
		return edit(ctx, w, &v1alpha1.DaemonJob{}, daemonName, change)
	}
}

func editJob(run string, change func(*batchv1.Job)) deed {
	return func(ctx context.Context, w *World) error {
		job := w.job(run)
		if job == nil {
			return nil // somebody deleted it
		}
		return client.IgnoreNotFound(edit(ctx, w, &batchv1.Job{}, job.Name, change))
	}
}

func deleteJob(run string) deed {
	return func(ctx context.Context, w *World) error {
		if job := w.job(run); job != nil {
			return w.remove(ctx, &batchv1.Job{}, job.Name)
		}
		return nil
	}
}

func deleteFlow(ctx context.Context, w *World) error {
	return w.remove(ctx, &v1alpha1.JobFlow{}, flowName)
}

func deleteDaemon(ctx context.Context, w *World) error {
	return w.remove(ctx, &v1alpha1.DaemonJob{}, daemonName)
}

// touch wakes the operator, which would look again by itself ten seconds later.
func touch(flow *v1alpha1.JobFlow) { flow.Annotations = map[string]string{"touched": "true"} }

func create(object func() client.Object) deed {
	return func(ctx context.Context, w *World) error {
		made := object()
		made.SetNamespace(w.Namespace)
		return w.Server.Client.Create(ctx, made)
	}
}

func joins(node Node) deed {
	return func(ctx context.Context, w *World) error { return w.join(ctx, node) }
}

func leaves(name string) deed {
	return func(ctx context.Context, w *World) error {
		node := &corev1.Node{}
		node.Name = w.node(name)
		return w.Server.Client.Delete(ctx, node)
	}
}

func suspend(job *batchv1.Job, is bool) { job.Spec.Suspend = &is }

func suspended(job *batchv1.Job) bool { return job.Spec.Suspend != nil && *job.Spec.Suspend }

func resumed(job *batchv1.Job) bool { return !suspended(job) }

// all does one deed after the other.
func all(deeds ...deed) deed {
	return func(ctx context.Context, w *World) error {
		for _, do := range deeds {
			if err := do(ctx, w); err != nil {
				return err
			}
		}
		return nil
	}
}
