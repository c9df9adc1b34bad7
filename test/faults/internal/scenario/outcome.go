package scenario

import (
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// gone is the outcome where the JobFlow or DaemonJob is deleted, with all its Jobs.
const gone = "gone; Jobs: none"

// parent is the JobFlow or DaemonJob of the scenario with its status, or nil.
func (w *World) parent() (object client.Object, summary *v1alpha1.Summary, runs []v1alpha1.RunStatus) {
	if flow := w.Record.JobFlow(w.key(flowName)); flow != nil {
		return flow, &flow.Status.Summary, flow.Status.Flows
	}
	if dj := w.Record.DaemonJob(w.key(daemonName)); dj != nil {
		return dj, &dj.Status.Summary, dj.Status.Nodes
	}
	return nil, nil, nil
}

// Outcome tells in one line what a scenario has come to: the state, every step or node
// with its phase and reason, and which of their Jobs are there.
//
//	Failed: a Succeeded, b Failed/BackoffLimitExceeded, c Skipped/DependencyFailed; Jobs: a b
func (w *World) Outcome() string {
	_, summary, runs := w.parent()
	state := "not there yet"
	switch {
	case summary == nil && w.ledger.bornAt() != 0:
		state = "gone"
	case summary != nil:
		var parts []string
		for i := range runs {
			part := w.short(runs[i].Name) + " " + string(runs[i].Phase)
			if runs[i].Reason != "" {
				part += "/" + runs[i].Reason
			}
			parts = append(parts, part)
		}
		state = string(summary.State)
		if len(parts) > 0 {
			state += ": " + strings.Join(parts, ", ")
		}
	}
	return state + "; Jobs: " + w.jobsThere()
}

func (w *World) jobsThere() string {
	var there []string
	for _, history := range w.Record.Jobs() {
		if history.Deleted == 0 && history.Run != "" {
			there = append(there, w.short(history.Run))
		}
	}
	if len(there) == 0 {
		return "none"
	}
	slices.Sort(there)
	return strings.Join(there, " ")
}

func (w *World) short(run string) string { return strings.TrimPrefix(run, w.Namespace+"-") }

// run is the status of a step or node.
func (w *World) run(name string) v1alpha1.RunStatus {
	_, _, runs := w.parent()
	for i := range runs {
		if w.short(runs[i].Name) == name {
			return runs[i]
		}
	}
	return v1alpha1.RunStatus{}
}

// EndedAsItsJobs says whether the JobFlow or DaemonJob has ended, each step or node as
// its Job did: what had no Job any more before the end of that was recorded has failed.
func (w *World) EndedAsItsJobs() bool {
	_, summary, runs := w.parent()
	if summary == nil || !flows.Ended(summary) {
		return false
	}
	jobs := map[string]harness.JobHistory{}
	for _, job := range w.Record.Jobs() {
		jobs[string(job.UID)] = job
	}
	for i := range runs {
		run, job := &runs[i], jobs[runs[i].JobUID]
		var right bool
		switch run.Phase {
		case v1alpha1.PhaseSucceeded:
			right = job.Completed != 0
		case v1alpha1.PhaseFailed:
			right = job.Failed != 0 || job.Deleted != 0 || run.Reason == v1alpha1.ReasonJobRejected
		case v1alpha1.PhaseSkipped:
			right = run.JobUID == "" || run.Reason == v1alpha1.ReasonNodeGone
		default: // not at its end
		}
		if !right {
			return false
		}
	}
	return true
}

// Conditions for the moves of scripts.

// recorded: the status says so of a step or node.
func recorded(run string, phase v1alpha1.Phase, reason string) func(*World) bool {
	return func(w *World) bool {
		is := w.run(run)
		return is.Phase == phase && is.Reason == reason
	}
}

// running: the Job of a step or node is recorded, and runs.
func running(run string) func(*World) bool { return recorded(run, v1alpha1.PhaseRunning, "") }

func state(want v1alpha1.State) func(*World) bool {
	return func(w *World) bool {
		_, summary, _ := w.parent()
		return summary != nil && summary.State == want
	}
}

// failed: the status says so of a step or node, for whatever reason.
func failed(run string) func(*World) bool {
	return func(w *World) bool { return w.run(run).Phase == v1alpha1.PhaseFailed }
}

// created: the step or node has its Job, by what is recorded.
func created(run string) func(*World) bool {
	return func(w *World) bool { return w.run(run).JobUID != "" }
}

// jobIs: the Job of a step or node exists and is so.
func jobIs(run string, so func(*batchv1.Job) bool) func(*World) bool {
	return func(w *World) bool {
		job := w.job(run)
		return job != nil && so(job)
	}
}

// missing: the Job of a step or node is deleted.
func missing(run string) func(*World) bool {
	return func(w *World) bool { return w.job(run) == nil }
}

func either(first, second func(*World) bool) func(*World) bool {
	return func(w *World) bool { return first(w) || second(w) }
}

func both(first, second func(*World) bool) func(*World) bool {
	return func(w *World) bool { return first(w) && second(w) }
}
