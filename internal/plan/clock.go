package plan

import (
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Ended reports whether the end of a parent, or of one with this status, is recorded. An
// invalid spec is not an end: a field that may change can be fixed.
func Ended(parent interface{ GetSummary() *v1alpha1.Summary }) bool {
	conditions := parent.GetSummary().Conditions
	if meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionComplete) {
		return true
	}
	failed := meta.FindStatusCondition(conditions, v1alpha1.ConditionFailed)
	return failed != nil && failed.Status == metav1.ConditionTrue && failed.Reason != v1alpha1.ReasonInvalidSpec
}

// startClock sets StartTime to now when the parent is first active and, as on a Job, when
// it is resumed. The clock does not run while the parent is suspended.
func (p *Plan) startClock(status *v1alpha1.Summary, suspend bool, now time.Time) {
	p.Suspended = suspend
	p.StartTime = status.StartTime
	resumed := meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionSuspended)
	if !suspend && (p.StartTime == nil || resumed) {
		start := metav1.NewTime(now)
		p.StartTime = &start
	}
}

// waitIfSuspended is the fate of what has not started while spec.suspend is true.
func (p *Plan) waitIfSuspended() fate {
	if !p.Suspended {
		return start
	}
	return wait(v1alpha1.ReasonSuspended, "waits for spec.suspend to be false")
}

// checkDeadline sets Expired, or requeues for the time when the deadline passes.
func (p *Plan) checkDeadline(seconds *int64, now time.Time) {
	if seconds == nil || p.Suspended {
		return
	}
	// More than 292 years do not fit into a Duration. Whoever sets that means never.
	if *seconds > int64(math.MaxInt64/time.Second) {
		return
	}
	left := p.StartTime.Add(time.Duration(*seconds) * time.Second).Sub(now)
	p.Expired = left <= 0
	p.WakeAfter(left)
}

// checkTTL sets DeleteParent, or requeues for the time when the TTL has passed.
func (p *Plan) checkTTL(seconds *int32, completion *metav1.Time, now time.Time) {
	if seconds == nil || completion == nil {
		return
	}
	left := completion.Add(time.Duration(*seconds) * time.Second).Sub(now)
	p.DeleteParent = left <= 0
	p.WakeAfter(left)
}
