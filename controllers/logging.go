package controllers

import (
	"slices"
	"strings"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
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

// logChanges logs how the status of a parent changes. A reconcile begins with the newest
// status, written or not, so that each change is logged once.
func logChanges(log logr.Logger, parent v1alpha1.Parent, next v1alpha1.ParentStatus) {
	if !log.V(1).Enabled() {
		return
	}
	unit := "step"
	if parent.GetKind() == v1alpha1.KindDaemonJob {
		unit = "node"
	}
	t := status.Compare(parent.GetStatus(), next)
	for _, run := range t.Changed {
		log := log.WithValues(unit, run.Name)
		if run.Created {
			log.V(1).Info("Job created", "job", run.JobName, "attempt", run.Attempt)
		}
		why := log.WithValues("reason", run.Reason, "message", run.Message)
		switch {
		case run.Ended && run.JobUID == "", run.Waits && slices.Contains(refusals, run.Reason):
			why.V(1).Info("Job refused")
		case run.Ended:
			why.V(1).Info("Job ended", "job", run.JobName, "attempt", run.Attempt, "phase", run.Phase)
		case run.Skipped:
			why.V(1).Info("Skipped")
		case run.Waits:
			why.V(2).Info("Waiting")
		}
	}
	if t.StateChanged() {
		log.V(1).Info("State changed", "from", t.Previous.State, "to", t.Next.State, "message", t.Next.Message)
	}
}

// refusals are the reasons of Jobs that the API server did not create and that are retried.
var refusals = []string{v1alpha1.ReasonCreateFailed, v1alpha1.ReasonNameConflict, v1alpha1.ReasonInvalidJobTemplate}
