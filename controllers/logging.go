package controllers

import (
	"strings"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// What the controllers log about work, all of it here and in newResult:
//
//	V(1)  a Job was created, ended or was refused; a step or node was skipped; a change of state
//	V(2)  why a step or node waits; when an object is reconciled again, and why

// loggersFor returns the loggers of the controller of a kind: jobflow, or daemonjob, is the
// key of the object.
func loggersFor(mgr ctrl.Manager, kind string) func(*reconcile.Request) logr.Logger {
	key := strings.ToLower(kind)
	log := mgr.GetLogger().WithValues("controller", key)
	return func(request *reconcile.Request) logr.Logger {
		if request == nil {
			return log
		}
		return log.WithValues(key, request.NamespacedName)
	}
}

// logChanges logs how the status of a parent changes. The status that a reconcile begins with
// is the newest one, so that each change is logged once, before it is written.
func logChanges(log logr.Logger, parent v1alpha1.Parent, next v1alpha1.ParentStatus) {
	if !log.V(1).Enabled() {
		return
	}
	unit := "step"
	if parent.GetKind() == v1alpha1.KindDaemonJob {
		unit = "node"
	}
	previous := make(map[string]v1alpha1.RunStatus, len(parent.GetRuns()))
	for _, run := range parent.GetRuns() {
		previous[run.Name] = run
	}
	for _, run := range next.GetRuns() {
		logRun(log.WithValues(unit, run.Name), previous[run.Name], run)
	}
	if before, after := parent.GetSummary(), next.GetSummary(); before.State != after.State {
		log.V(1).Info("State changed", "from", before.State, "to", after.State, "progress", after.Progress, "message", after.Message)
	}
}

// logRun logs how the entry of a step or node changes.
func logRun(log logr.Logger, before, after v1alpha1.RunStatus) {
	if after.JobUID != "" && after.JobUID != before.JobUID {
		log.V(1).Info("Job created", "job", after.JobName, "attempt", after.Attempt)
	}
	if before.Phase == after.Phase && before.Reason == after.Reason && before.Message == after.Message {
		return
	}
	switch {
	case plan.Final(after.Phase) && after.JobUID != "":
		log.V(1).Info("Job ended", "job", after.JobName, "attempt", after.Attempt, "phase", after.Phase, "reason", after.Reason, "message", after.Message)
	case plan.Final(after.Phase), after.Phase == v1alpha1.PhaseWaiting && refused(after.Reason):
		log.V(1).Info("Job refused", "reason", after.Reason, "message", after.Message)
	case after.Phase == v1alpha1.PhaseSkipped:
		log.V(1).Info("Skipped", "reason", after.Reason, "message", after.Message)
	case after.Phase == v1alpha1.PhaseWaiting:
		log.V(2).Info("Waiting", "reason", after.Reason, "message", after.Message)
	}
}

// refused reports whether this is the reason of a Job that the API server did not create.
func refused(reason string) bool {
	switch reason {
	case v1alpha1.ReasonCreateFailed, v1alpha1.ReasonNameConflict, v1alpha1.ReasonInvalidJobTemplate:
		return true
	}
	return false
}
