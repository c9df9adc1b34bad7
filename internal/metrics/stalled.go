package metrics

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// unknown is the reason if status gives none, or one that is not counted.
const unknown = "Unknown"

// stalledReasons are all values of the label reason of stalled objects, waitingReasons
// those of waiting steps and nodes.
var (
	stalledReasons = reasonsWith(func(r *v1alpha1.Reason) bool { return r.Actor.Blocks() })
	waitingReasons = reasonsWith(func(r *v1alpha1.Reason) bool { return slices.Contains(r.Places, v1alpha1.PlaceWaiting) })
)

func reasonsWith(property func(*v1alpha1.Reason) bool) []string {
	var names []string
	for i := range v1alpha1.Reasons {
		if property(&v1alpha1.Reasons[i]) {
			names = append(names, v1alpha1.Reasons[i].Name)
		}
	}
	return append(names, unknown)
}

// findStall reports whether an object is stalled, why, and since when. An object of which a
// Job runs or waits in a queue is not, however long that takes. Neither is one that is
// suspended or being deleted.
func findStall(created metav1.Time, s *v1alpha1.Summary, runs []v1alpha1.RunStatus) (reason string, since time.Time, stalled bool) {
	if plan.Ended(s) {
		return "", time.Time{}, false
	}
	since = lastProgress(created, s, runs)
	if failed := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionFailed); failed != nil && failed.Status == metav1.ConditionTrue {
		// It has not ended, so its spec is invalid. Its counts are no longer updated: what
		// they count as Running may have ended long ago.
		return v1alpha1.ReasonInvalidSpec, latest(since, &failed.LastTransitionTime), true
	}
	if s.State == v1alpha1.StateSuspended || s.State == v1alpha1.StateTerminating || s.Running > 0 {
		return "", time.Time{}, false
	}
	for i := range runs {
		if runs[i].Phase != v1alpha1.PhaseWaiting || runs[i].Reason == "" {
			continue
		}
		switch v1alpha1.LookUpReason(runs[i].Reason).Actor {
		case v1alpha1.ActorQueue:
			return "", time.Time{}, false
		case v1alpha1.ActorOperator:
			// The operator starts it in its turn; the reason is that of another one.
		default:
			if reason == "" {
				reason = runs[i].Reason
			}
		}
	}
	if ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady); reason == "" && ready != nil {
		reason = ready.Reason // NoEligibleNode
	}
	return limitTo(stalledReasons, reason), since, true
}

// lastProgress returns when something last happened to an object: it was created, started
// or resumed, or one of its Jobs was created or ended.
func lastProgress(created metav1.Time, s *v1alpha1.Summary, runs []v1alpha1.RunStatus) time.Time {
	last := latest(created.Time, s.StartTime)
	for i := range runs {
		last = latest(last, runs[i].StartTime)
		last = latest(last, runs[i].CompletionTime)
	}
	return last
}

func latest(a time.Time, b *metav1.Time) time.Time {
	if b != nil && b.After(a) {
		return b.Time
	}
	return a
}

// limitTo bounds the values of a label.
func limitTo(known []string, value string) string {
	if slices.Contains(known, value) {
		return value
	}
	return unknown
}
