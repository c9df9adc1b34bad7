package controllers

import (
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// conflictRetryAfter is the time that the watch needs to show the version which a write
	// conflicted with.
	conflictRetryAfter = 100 * time.Millisecond

	// firstBackoff and longestBackoff are the delays of reconciles after errors. The default
	// maximum, a quarter of an hour, would also delay the deadline of an object that cannot be
	// read meanwhile.
	firstBackoff   = 5 * time.Millisecond
	longestBackoff = time.Minute
)

// newResult is the result of a reconcile that is due again after a while, if that is not 0,
// and in which these errors occurred. A conflict is no error: the version that it lost
// against is on its way.
func newResult(requeueAfter time.Duration, errs ...error) (ctrl.Result, error) {
	var failures []error
	for _, err := range flattenErrors(errors.Join(errs...)) {
		if !apierrors.IsConflict(err) {
			failures = append(failures, err)
		} else if requeueAfter == 0 || requeueAfter > conflictRetryAfter {
			requeueAfter = conflictRetryAfter
		}
	}
	return ctrl.Result{RequeueAfter: requeueAfter}, errors.Join(failures...)
}

// requeueAfterError requeues an object whose reconcile failed at the time that its result
// has: controller-runtime ignores the result of a reconcile that returns an error, and the
// backoff may be a minute. The status of other Jobs, or a deadline, may be due before that.
func requeueAfterError(queue workqueue.TypedRateLimitingInterface[reconcile.Request], req ctrl.Request, result *ctrl.Result) {
	if result.RequeueAfter > 0 {
		queue.AddAfter(req, result.RequeueAfter)
	}
	*result = ctrl.Result{}
}

// flattenErrors returns the errors that were joined: a conflict among them must not hide
// the others.
func flattenErrors(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var all []error
	for _, part := range joined.Unwrap() {
		all = append(all, flattenErrors(part)...)
	}
	return all
}
