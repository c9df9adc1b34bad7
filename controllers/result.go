package controllers

import (
	"context"
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

// requeue is when an object is reconciled again although no event may occur, and why.
type requeue struct {
	after  time.Duration // 0 for never
	reason string        // for the log
}

// earlier returns the earlier of two requeues.
func (r requeue) earlier(other requeue) requeue {
	if r.after == 0 || other.after > 0 && other.after < r.after {
		return other
	}
	return r
}

// newResult returns the result of a reconcile in which these errors occurred. A conflict does
// not count as an error: the watch is about to show the version that the write lost against.
func newResult(ctx context.Context, due requeue, errs ...error) (ctrl.Result, error) {
	var failures []error
	for _, err := range flattenErrors(errors.Join(errs...)) {
		if apierrors.IsConflict(err) {
			due = due.earlier(requeue{conflictRetryAfter, "a write lost against a newer version"})
		} else {
			failures = append(failures, err)
		}
	}
	if due.after > 0 {
		ctrl.LoggerFrom(ctx).V(2).Info("Requeue", "after", due.after, "reason", due.reason)
	}
	return ctrl.Result{RequeueAfter: due.after}, errors.Join(failures...)
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
