package status

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Event is a Kubernetes event about a transition.
type Event struct {
	Type    string // Normal or Warning
	Reason  string
	Message string
}

// maxNote is the largest number of bytes of an event's message that the API server accepts.
const maxNote = 1024

// namesInEvent is how many names an event lists before it counts the rest.
const namesInEvent = 10

// Events returns the events of a transition.
func (t *Transition) Events() []Event {
	var list []Event
	var created []string
	for _, run := range t.Changed {
		if run.Created {
			created = append(created, run.JobName)
		}
		if run.Ended && run.Phase == v1alpha1.PhaseFailed {
			list = append(list, Event{corev1.EventTypeWarning, t.failedEvent, fmt.Sprintf("%s failed: %s: %s", run.Name, run.Reason, run.Message)})
		}
		if run.Waits && v1alpha1.LookUpReason(run.Reason).Warns {
			list = append(list, Event{corev1.EventTypeWarning, v1alpha1.EventWaiting, fmt.Sprintf("%s waits: %s: %s", run.Name, run.Reason, run.Message)})
		}
	}
	if len(created) > 0 {
		list = append([]Event{{corev1.EventTypeNormal, v1alpha1.EventJobCreated, "created " + jobList(created)}}, list...)
	}
	list = append(list, t.stateEvents()...)
	for i := range list {
		list[i].Message = note(list[i].Message)
	}
	return list
}

// note cuts a message to the size of an event's, which is counted in bytes.
func note(message string) string {
	const more = "…"
	if len(message) <= maxNote {
		return message
	}
	return strings.ToValidUTF8(message[:maxNote-len(more)], "") + more
}

func (t *Transition) stateEvents() []Event {
	previous, next := t.Previous, t.Next
	if !t.StateChanged() {
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
	case v1alpha1.StateTerminating: // whoever deleted it knows
	}
	return nil
}

// jobList names Jobs, and counts them if there are many.
func jobList(names []string) string {
	if len(names) == 1 {
		return "Job " + names[0]
	}
	if len(names) <= namesInEvent {
		return "Jobs " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d Jobs: %s and %d more", len(names), strings.Join(names[:namesInEvent], ", "), len(names)-namesInEvent)
}
