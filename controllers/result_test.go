package controllers

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

func TestNewResult(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "jobs"}, "a", errors.New("changed"))
	failure := errors.New("failed")
	later := ctrl.Result{RequeueAfter: plan.RetryAfter}
	soon := ctrl.Result{RequeueAfter: conflictRetryAfter}
	cases := map[string]struct {
		errs   []error
		result ctrl.Result
		failed bool
	}{
		"nothing":                            {[]error{nil, nil}, later, false},
		"a conflict":                         {[]error{conflict, nil}, soon, false},
		"a failure":                          {[]error{nil, failure}, later, true},
		"a conflict does not hide a failure": {[]error{errors.Join(errors.Join(conflict), errors.Join(failure))}, soon, true},
		"conflicts only":                     {[]error{errors.Join(conflict, errors.Join(conflict))}, soon, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			result, err := newResult(t.Context(), requeue{after: plan.RetryAfter}, c.errs...)
			if result != c.result || (err != nil) != c.failed {
				t.Errorf("got %v, %v", result, err)
			}
			if c.failed && !errors.Is(err, failure) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRequeueAfterError(t *testing.T) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	nothing := reconcile.Request{NamespacedName: types.NamespacedName{Name: "nothing"}}
	due := reconcile.Request{NamespacedName: types.NamespacedName{Name: "due"}}
	for request, wait := range map[reconcile.Request]time.Duration{nothing: 0, due: time.Millisecond} {
		result := ctrl.Result{RequeueAfter: wait}
		if requeueAfterError(queue, request, &result); result != (ctrl.Result{}) {
			t.Errorf("the result is %v", result)
		}
	}
	if got, _ := queue.Get(); got != due || queue.Len() > 0 {
		t.Errorf("got %v, and %d more", got, queue.Len())
	}
}
