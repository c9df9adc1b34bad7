package status

import (
	"fmt"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// judge sums up the runs of a parent. unit is the word for a run, failedReason the reason
// if one failed.
func judge(unit, failedReason string, p *plan.Plan, c counts, desired int32) verdict {
	progress := fmt.Sprintf("%d of %d %ss succeeded", c.succeeded, desired, unit)
	switch {
	case c.open() == 0 && c.succeeded == desired:
		return verdict{state: v1alpha1.StateSucceed, reason: v1alpha1.ReasonCompleted, message: progress}
	case c.open() == 0:
		reason := failedReason
		message := failures(unit, p.Runs, c)
		if p.Expired {
			reason = v1alpha1.ReasonDeadlineExceeded
			message = "activeDeadlineSeconds passed; " + progress
		}
		if notRun := countNotRun(unit, c, desired); notRun != "" && !p.Expired {
			message += "; " + notRun
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
	if c.succeeded > 0 || started(p.Runs) {
		v.state, v.reason = v1alpha1.StateRunning, v1alpha1.ReasonRunning
	}
	parts := make([]string, 0, 4)
	if p.Expired {
		parts = append(parts, "activeDeadlineSeconds passed, and the Jobs that still run are being ended")
	}
	if c.failed > 0 {
		parts = append(parts, failures(unit, p.Runs, c)+", and the Jobs that run are left to finish")
	}
	if held := firstHeld(p.Runs); held != nil {
		parts = append(parts, fmt.Sprintf("%s %s: %s", unit, held.Name, held.Message))
		if c.running == 0 && v1alpha1.LookUpReason(held.Reason).Stalls {
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
func failures(unit string, runs []v1alpha1.RunStatus, c counts) string {
	for i := range runs {
		if runs[i].Phase != v1alpha1.PhaseFailed {
			continue
		}
		text := fmt.Sprintf("%s %s failed: %s", unit, runs[i].Name, runs[i].Reason)
		if runs[i].Message != "" {
			text += ": " + runs[i].Message
		}
		if c.failed > 1 {
			text += fmt.Sprintf(" (and %d more failed)", c.failed-1)
		}
		return text
	}
	return ""
}

// countNotRun counts what should have run and never will.
func countNotRun(unit string, c counts, desired int32) string {
	if n := desired - c.succeeded - c.failed; n > 0 {
		return fmt.Sprintf("%d of %d %ss did not run", n, desired, unit)
	}
	return ""
}
