// Package status computes the status of JobFlows and DaemonJobs from scratch. State,
// counts, conditions, messages and events come from here and nowhere else. It is pure.
package status

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// verdict sums up the runs of a parent.
type verdict struct {
	state   v1alpha1.State
	reason  string // of the condition Ready, and of Complete or Failed at the end
	message string
	stalled bool // nothing happens until a person acts
}

func (v verdict) ended() bool {
	return v.state == v1alpha1.StateSucceed || v.state == v1alpha1.StateFailed
}

// count returns a summary that has nothing but the counts of runs by phase.
func count(runs []v1alpha1.RunStatus) (c v1alpha1.Summary) {
	for i := range runs {
		switch runs[i].Phase {
		case v1alpha1.PhaseWaiting:
			c.Waiting++
		case v1alpha1.PhaseRunning:
			c.Running++
		case v1alpha1.PhaseSucceeded:
			c.Succeeded++
		case v1alpha1.PhaseFailed:
			c.Failed++
		case v1alpha1.PhaseSkipped:
			c.Skipped++
		}
	}
	return c
}

// summary completes the part of a status that both kinds have, from its counts. The times
// of conditions that did not change come from previous.
func summary(previous *v1alpha1.Summary, generation int64, start *metav1.Time, v verdict, s v1alpha1.Summary, desired int32, now time.Time) v1alpha1.Summary {
	s.State, s.Message, s.ObservedGeneration, s.StartTime = v.state, clip(v.message), generation, start
	s.Progress = fmt.Sprintf("%d/%d", s.Succeeded, desired)
	if v.ended() {
		at := metav1.NewTime(now)
		s.CompletionTime = &at
	}
	s.Conditions = conditions(previous.Conditions, generation, v, now)
	return s
}

// conditions returns the conditions, which follow two conventions at once: Complete,
// Failed and Suspended are those of a Job, so that kubectl wait works; Ready and Stalled
// are those of kstatus, so that helm --wait, Flux and Argo CD see the end. Conditions that
// were never true are left out, as on a Job.
func conditions(previous []metav1.Condition, generation int64, v verdict, now time.Time) []metav1.Condition {
	next := append([]metav1.Condition(nil), previous...)
	set := func(kind string, holds bool, reason string) {
		if !holds && meta.FindStatusCondition(next, kind) == nil && kind != v1alpha1.ConditionReady {
			return
		}
		status := metav1.ConditionFalse
		if holds {
			status = metav1.ConditionTrue
		}
		meta.SetStatusCondition(&next, metav1.Condition{
			Type:               kind,
			Status:             status,
			Reason:             reason,
			Message:            clip(v.message),
			ObservedGeneration: generation,
			LastTransitionTime: metav1.NewTime(now),
		})
	}
	set(v1alpha1.ConditionComplete, v.state == v1alpha1.StateSucceed, v.reason)
	set(v1alpha1.ConditionFailed, v.state == v1alpha1.StateFailed, v.reason)
	switch {
	case v.state == v1alpha1.StateSuspended:
		set(v1alpha1.ConditionSuspended, true, v1alpha1.ReasonSuspended)
	case v.state != v1alpha1.StateTerminating && v.reason != v1alpha1.ReasonInvalidSpec:
		// Neither a deletion nor an invalid spec resumes anything, and this condition resets
		// the clock of the deadline.
		set(v1alpha1.ConditionSuspended, false, v1alpha1.ReasonResumed)
	}
	set(v1alpha1.ConditionReady, v.state == v1alpha1.StateSucceed, v.reason)
	set(v1alpha1.ConditionStalled, v.stalled, v.reason)
	return next
}

// maxMessage is the largest number of characters of a message. All mistakes of an invalid
// spec fit in, and the object stays far below the limit of etcd.
const maxMessage = 1024

func clip(message string) string { return jobs.ClipTo(message, maxMessage) }
