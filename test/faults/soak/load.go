package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// conflictRetry is when to look again after somebody else was faster.
const conflictRetry = 20 * time.Millisecond

// driver makes the changes that the table of workloads has for a parent.
type driver struct {
	client client.Client
	census *census
	parent func() client.Object
}

func setupDrivers(mgr ctrl.Manager, c *census) error {
	for name, parent := range map[string]func() client.Object{
		"drive-jobflows":   func() client.Object { return &v1alpha1.JobFlow{} },
		"drive-daemonjobs": func() client.Object { return &v1alpha1.DaemonJob{} },
	} {
		d := &driver{mgr.GetClient(), c, parent}
		if err := ctrl.NewControllerManagedBy(mgr).Named(name).For(parent()).Complete(quiet{d}); err != nil {
			return err
		}
	}
	return nil
}

// Reconcile makes the next change once the parent is in the state for it.
func (d *driver) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := d.parent()
	if err := d.client.Get(ctx, request.NamespacedName, object); err != nil || object.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	next, number := d.census.nextChange(object)
	summary, _ := standing(object)
	if next == nil || summary.State != next.when {
		return ctrl.Result{}, nil
	}
	if err := next.do(ctx, d.client, object.DeepCopyObject().(client.Object)); err != nil {
		return ctrl.Result{}, err
	}
	d.census.changed(object, number)
	return ctrl.Result{}, nil
}

// quiet takes the conflicts of a driver for what they are: the next event is on its way.
type quiet struct{ reconcile.Reconciler }

// Reconcile implements reconcile.Reconciler.
func (q quiet) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	result, err := q.Reconciler.Reconcile(ctx, request)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	return result, err
}

// load creates objects of all workloads, mixed by their shares.
type load struct {
	client  client.Client
	random  *rand.Rand
	ttl     int32
	round   []*workload  // what is left of this one
	flows   atomic.Int64 // JobFlows created
	objects int          // with DaemonJobs
}

func (l *load) next(ctx context.Context) error {
	if len(l.round) == 0 {
		for i := range workloads {
			for range workloads[i].share {
				l.round = append(l.round, &workloads[i])
			}
		}
		l.random.Shuffle(len(l.round), func(i, j int) { l.round[i], l.round[j] = l.round[j], l.round[i] })
	}
	w := l.round[0]
	l.round = l.round[1:]
	return l.create(ctx, w)
}

func (l *load) create(ctx context.Context, w *workload) error {
	l.objects++
	if w.daemon == nil {
		l.flows.Add(1)
	}
	if err := l.client.Create(ctx, w.make(l.objects, l.ttl)); err != nil {
		return fmt.Errorf("creating %s: %w", w.name, err)
	}
	return nil
}

// run creates the flows at an even pace.
func (l *load) run(ctx context.Context, flows int, duration time.Duration) error {
	start := time.Now()
	interval := duration / time.Duration(flows)
	for before := l.flows.Load(); l.flows.Load() < before+int64(flows); {
		due := start.Add(interval * time.Duration(l.flows.Load()-before))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(due)):
		}
		if err := l.next(ctx); err != nil {
			return err
		}
	}
	return nil
}
