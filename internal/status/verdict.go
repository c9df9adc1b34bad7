package status

import (
	"fmt"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// judge sums up the runs of a parent. unit is the word for a run, failedReason the reason
// if one failed.
func judge(unit, failedReason string, p *plan.Plan, c v1alpha1.Summary, desired int32) verdict {
	progress := fmt.Sprintf("%d of %d %ss succeeded", c.Succeeded, desired, unit)
	open := c.Waiting + c.Running
	switch {
	case open == 0 && c.Succeeded == desired:
		return verdict{state: v1alpha1.StateSucceed, reason: v1alpha1.ReasonCompleted, message: progress}
	case open == 0:
		reason, message := failedReason, failures(unit, p.Runs, c.Failed)
		if p.Expired {
			reason, message = v1alpha1.ReasonDeadlineExceeded, "activeDeadlineSeconds passed; "+progress
		} else if n := desired - c.Succeeded - c.Failed; n > 0 {
			message += fmt.Sprintf("; %d of %d %ss did not run", n, desired, unit)
		}
		return verdict{state: v1alpha1.StateFailed, reason: reason, message: message, stalled: true}
	case p.Suspended:
		return verdict{
			state:   v1alpha1.StateSuspended,
			reason:  v1alpha1.ReasonSuspended,
			message: "suspended by spec.suspend; " + progress,
		}
	}

	v := verdict{state: v1alpha1.StatePending, reason: v1alpha1.ReasonPending}
	// Nodes that Succeeded may be counted although they are no longer listed.
	if c.Succeeded > 0 || started(p.Runs) {
		v.state, v.reason = v1alpha1.StateRunning, v1alpha1.ReasonRunning
	}
	parts := make([]string, 0, 4)
	if p.Expired {
		parts = append(parts, "activeDeadlineSeconds passed, and the Jobs that still run are being ended")
	}
	if c.Failed > 0 {
		parts = append(parts, failures(unit, p.Runs, c.Failed)+", and the Jobs that run are left to finish")
	}
	if held := firstHeld(p.Runs); held != nil {
		parts = append(parts, fmt.Sprintf("%s %s: %s", unit, held.Name, held.Message))
		if c.Running == 0 && v1alpha1.LookUpReason(held.Reason).Stalls {
			v.stalled, v.reason = true, held.Reason
		}
	}
	v.message = strings.Join(append(parts, progress), "; ")
	return v
}

func started(runs []v1alpha1.RunStatus) bool {
	for i := range runs {
		if runs[i].JobUID != "" || plan.Final(runs[i].Phase) {
			return true
		}
	}
	return false
}

// firstHeld returns the first run that waits for something other than its turn.
func firstHeld(runs []v1alpha1.RunStatus) *v1alpha1.RunStatus {
	for i := range runs {
		run := &runs[i]
		if run.Phase == v1alpha1.PhaseWaiting && run.Reason != "" && v1alpha1.LookUpReason(run.Reason).Actor != v1alpha1.ActorOperator {
			return run
		}
	}
	return nil
}

// failures names the first run that failed, says why, and counts the rest.
func failures(unit string, runs []v1alpha1.RunStatus, failed int32) string {
	for i := range runs {
		if runs[i].Phase != v1alpha1.PhaseFailed {
			continue
		}
		text := fmt.Sprintf("%s %s failed: %s", unit, runs[i].Name, runs[i].Reason)
		if runs[i].Message != "" {
			text += ": " + runs[i].Message
		}
		if failed > 1 {
			text += fmt.Sprintf(" (and %d more failed)", failed-1)
		}
		return text
	}
	return ""
}
