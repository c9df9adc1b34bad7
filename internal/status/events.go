package status

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Event is something that happened between two statuses and that people are told.
type Event struct {
	Type    string // Normal or Warning
	Reason  string
	Message string
}

// maxNote is the most bytes of an event's message; the API server refuses more.
const maxNote = 1024

// namesInEvent is how many names an event lists before it counts the rest.
const namesInEvent = 10

// FlowEvents are the events of a JobFlow whose status goes from previous to next.
func FlowEvents(previous, next *v1alpha1.JobFlowStatus) []Event {
	return events(v1alpha1.EventStepFailed, &previous.Summary, &next.Summary, previous.Flows, next.Flows)
}

// DaemonEvents are the events of a DaemonJob whose status goes from previous to
// next.
func DaemonEvents(previous, next *v1alpha1.DaemonJobStatus) []Event {
	return events(v1alpha1.EventNodeFailed, &previous.Summary, &next.Summary, previous.Nodes, next.Nodes)
}

func events(failedReason string, previous, next *v1alpha1.Summary, previousRuns, nextRuns []v1alpha1.RunStatus) []Event {
	was := make(map[string]*v1alpha1.RunStatus, len(previousRuns))
	for i := range previousRuns {
		was[previousRuns[i].Name] = &previousRuns[i]
	}
	var list []Event
	var created []string
	for i := range nextRuns {
		run, before := &nextRuns[i], was[nextRuns[i].Name]
		if before == nil {
			before = &v1alpha1.RunStatus{}
		}
		if run.JobUID != "" && run.JobUID != before.JobUID {
			created = append(created, run.JobName)
		}
		if run.Phase == v1alpha1.PhaseFailed && before.Phase != v1alpha1.PhaseFailed {
			list = append(list, Event{corev1.EventTypeWarning, failedReason, fmt.Sprintf("%s failed: %s: %s", run.Name, run.Reason, run.Message)})
		}
		if needsCare(run) && run.Reason != before.Reason {
			list = append(list, Event{corev1.EventTypeWarning, v1alpha1.EventWaiting, fmt.Sprintf("%s waits: %s: %s", run.Name, run.Reason, run.Message)})
		}
	}
	if len(created) > 0 {
		list = append([]Event{{corev1.EventTypeNormal, v1alpha1.EventJobCreated, "created " + jobList(created)}}, list...)
	}
	list = append(list, stateEvents(previous, next)...)
	for i := range list {
		list[i].Message = note(list[i].Message)
	}
	return list
}

// note cuts a message to what an event holds, which is counted in bytes.
func note(message string) string {
	const more = "…"
	if len(message) <= maxNote {
		return message
	}
	return strings.ToValidUTF8(message[:maxNote-len(more)], "") + more
}

// needsCare reports whether what a run waits for is worth a warning.
func needsCare(run *v1alpha1.RunStatus) bool {
	return run.Phase == v1alpha1.PhaseWaiting && run.Reason != "" && v1alpha1.LookUpReason(run.Reason).Warns
}

func stateEvents(previous, next *v1alpha1.Summary) []Event {
	if previous.State == next.State {
		return nil
	}
	switch next.State {
	case v1alpha1.StateSucceed:
		return []Event{{corev1.EventTypeNormal, v1alpha1.EventCompleted, next.Message}}
	case v1alpha1.StateFailed:
		return []Event{{corev1.EventTypeWarning, v1alpha1.EventFailed, next.Message}}
	case v1alpha1.StateSuspended:
		return []Event{{corev1.EventTypeNormal, v1alpha1.EventSuspended, next.Message}}
	case v1alpha1.StatePending, v1alpha1.StateRunning:
		if previous.State == v1alpha1.StateSuspended {
			return []Event{{corev1.EventTypeNormal, v1alpha1.EventResumed, next.Message}}
		}
	case v1alpha1.StateTerminating: // its owner knows
	}
	return nil
}

// jobList names Jobs, and counts them where they are many.
func jobList(names []string) string {
	if len(names) == 1 {
		return "Job " + names[0]
	}
	if len(names) <= namesInEvent {
		return "Jobs " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d Jobs: %s and %d more", len(names), strings.Join(names[:namesInEvent], ", "), len(names)-namesInEvent)
}
