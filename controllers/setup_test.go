package controllers

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestBackoffIsBounded(t *testing.T) {
	options := Options{Workers: 1}
	flows, daemons := options.controllerOptions(), options.controllerOptions()
	for range 100 {
		if wait := flows.RateLimiter.When(request("ns", "a")); wait > longestBackoff {
			t.Fatalf("waits %s after an error", wait)
		}
	}
	if wait := daemons.RateLimiter.When(request("ns", "a")); wait != firstBackoff {
		t.Errorf("a DaemonJob waits %s for the errors of a JobFlow of its name", wait)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	kind := t.Name()
	refuse := func(context.Context, reconcile.Request) (reconcile.Result, error) {
		return reconcile.Result{}, apierrors.NewForbidden(schema.GroupResource{Resource: "jobs"}, "a", errors.New("no"))
	}
	reconciler := countErrors{reconcile.Func(refuse), kind}
	ended, end := context.WithCancel(context.Background())
	end()
	for _, ctx := range []context.Context{context.Background(), ended} {
		if _, err := reconciler.Reconcile(ctx, request("ns", "a")); !apierrors.IsForbidden(err) {
			t.Errorf("the error became %v", err)
		}
	}
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := 0.0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "jobflow_reconcile_errors_total" && metric.GetLabel()[0].GetValue() == kind {
				got += metric.GetCounter().GetValue()
			}
		}
	}
	if got != 1 {
		t.Errorf("counted %v of one error and one that came with the end", got)
	}
}
