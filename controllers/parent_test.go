package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/memory"
)

// failingClient fails every read.
type failingClient struct {
	client.Client
	err error
}

var errNoAnswer = errors.New("no answer")

// Get implements client.Reader.
func (c failingClient) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return c.err
}

func reconcilerOf(kind parentKind, reads client.Client) *parentReconciler {
	return &parentReconciler{
		kind: kind, client: reads, memory: memory.New(nil), now: time.Now,
		statuses: newStatuses(kind.name(), nil, nil, nil, 1),
	}
}

// A reconcile that does nothing because it comes too early counts as a success, and would
// reset the backoff.
func TestCooldownLeavesErrorsToBackoff(t *testing.T) {
	for _, kind := range []parentKind{jobFlows{}, daemonJobs{}} {
		r := reconcilerOf(kind, failingClient{err: errNoAnswer})
		parent := v1alpha1.NewParent(kind.name())
		parent.SetName("f")
		long := time.Now().Add(-time.Hour)
		for range 2 {
			r.memory.Reconciled(parent, long, long.Add(time.Minute))
		}
		if _, err := r.Reconcile(t.Context(), requestFor(parent)); !errors.Is(err, errNoAnswer) {
			t.Fatal(err)
		}
		if wait := r.memory.Cooldown(memory.KeyOf(parent), long.Add(time.Minute)); wait != 0 {
			t.Errorf("%s: the next reconcile has to wait for %s", kind.name(), wait)
		}
	}
}

// Of an object that is gone only its name is known.
func TestGoneParentIsForgotten(t *testing.T) {
	for _, kind := range []parentKind{jobFlows{}, daemonJobs{}} {
		r := reconcilerOf(kind, failingClient{err: apierrors.NewNotFound(schema.GroupResource{}, "f")})
		parent := v1alpha1.NewParent(kind.name())
		parent.SetName("f")
		parent.SetUID("u")
		r.memory.Created(parent, "a", &batchv1.Job{}, time.Unix(1000, 0))
		if _, err := r.Reconcile(t.Context(), requestFor(parent)); err != nil {
			t.Fatal(err)
		}
		if r.memory.AwaitsJobs(parent) {
			t.Errorf("%s: its Jobs are remembered", kind.name())
		}
	}
}

func requestFor(parent v1alpha1.Parent) reconcile.Request {
	return request(parent.GetNamespace(), parent.GetName())
}

func flowAt(uid types.UID, version string) *v1alpha1.JobFlow {
	flow := &v1alpha1.JobFlow{}
	flow.Namespace, flow.Name, flow.UID, flow.ResourceVersion = "ns", "f", uid, version
	return flow
}
