package status_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

func flowStatus(state v1alpha1.State, message string, runs ...runBuilder) *v1alpha1.JobFlowStatus {
	return &v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: state, Message: message}, Flows: entries(runs...)}
}

func TestEventsAreOfTransitions(t *testing.T) {
	const (
		running, succeed, failed = v1alpha1.StateRunning, v1alpha1.StateSucceed, v1alpha1.StateFailed
		suspended, terminating   = v1alpha1.StateSuspended, v1alpha1.StateTerminating
		conflict                 = v1alpha1.ReasonNameConflict
	)
	many := make([]runBuilder, 12)
	for i := range many {
		many[i] = run(fmt.Sprintf("s%02d", i)).running()
	}
	cases := map[string]struct {
		from, to *v1alpha1.JobFlowStatus
		want     []string
	}{
		"nothing changes": {
			from: flowStatus(running, "m", run("a").running(), run("b").failed("X", "y"), run("c").because(conflict, "taken")),
			to:   flowStatus(running, "m", run("a").running(), run("b").failed("X", "y"), run("c").because(conflict, "taken")),
		},
		"a Job was created": {
			from: flowStatus("", ""),
			to:   flowStatus(running, "m", run("a").running(), run("b")),
			want: []string{"Normal JobCreated created Job p-a"},
		},
		"some Jobs were created": {
			from: flowStatus(running, "m", run("a").running(), run("b"), run("c")),
			to:   flowStatus(running, "m", run("a").running(), run("b").running(), run("c").running()),
			want: []string{"Normal JobCreated created Jobs p-b, p-c"},
		},
		"many Jobs were created": {
			from: flowStatus("", ""),
			to:   flowStatus(running, "m", many...),
			want: []string{"Normal JobCreated created 12 Jobs: p-s00, p-s01, p-s02, p-s03, p-s04, p-s05, p-s06, p-s07, p-s08, p-s09 and 2 more"},
		},
		"a Job ran to its end in one pass": {
			from: flowStatus(running, "m", run("a")),
			to:   flowStatus(running, "m", run("a").succeeded()),
			want: []string{"Normal JobCreated created Job p-a"},
		},
		"a Job waits in a queue: its turn will come": {
			from: flowStatus(running, "m", run("a").running()),
			to:   flowStatus(running, "m", run("a").withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonQueued, "waits in queue q")),
		},
		"a step failed": {
			from: flowStatus(running, "m", run("a").running()),
			to:   flowStatus(running, "m", run("a").failed("X", "y")),
			want: []string{"Warning StepFailed a failed: X: y"},
		},
		"a step waits for something that a person can fix": {
			from: flowStatus(running, "m", run("a").because(v1alpha1.ReasonDependency, "z")),
			to:   flowStatus(running, "m", run("a").because(conflict, "taken")),
			want: []string{"Warning Waiting a waits: NameConflict: taken"},
		},
		"it waits for the same in other words": {
			from: flowStatus(running, "m", run("a").because(conflict, "taken")),
			to:   flowStatus(running, "m", run("a").because(conflict, "still taken")),
		},
		"a step waits for its turn": {
			from: flowStatus(running, "m", run("a")),
			to:   flowStatus(running, "m", run("a").because(v1alpha1.ReasonDependency, "z")),
		},
		"a step is skipped": {
			from: flowStatus(running, "m", run("a")),
			to:   flowStatus(running, "m", run("a").skipped(v1alpha1.ReasonFlowFailed)),
		},
		"Complete": {
			from: flowStatus(running, "m", run("a").running()),
			to:   flowStatus(succeed, "1 of 1", run("a").succeeded()),
			want: []string{"Normal Completed 1 of 1"},
		},
		"Failed with its last step": {
			from: flowStatus(running, "m", run("a").running()),
			to:   flowStatus(failed, "it failed", run("a").failed("X", "y")),
			want: []string{"Warning StepFailed a failed: X: y", "Warning Failed it failed"},
		},
		"suspended": {
			from: flowStatus(running, "m"),
			to:   flowStatus(suspended, "by spec.suspend"),
			want: []string{"Normal Suspended by spec.suspend"},
		},
		"resumed": {
			from: flowStatus(suspended, "m"),
			to:   flowStatus(running, "0 of 1"),
			want: []string{"Normal Resumed 0 of 1"},
		},
		"a message is longer than the API server takes, in bytes": {
			from: flowStatus(running, "m"),
			to:   flowStatus(failed, "a"+strings.Repeat("é", 1000)),
			want: []string{"Warning Failed a" + strings.Repeat("é", 510) + "…"},
		},
		"started":                 {from: flowStatus(v1alpha1.StatePending, "m"), to: flowStatus(running, "m")},
		"deleted":                 {from: flowStatus(running, "m"), to: flowStatus(terminating, "m")},
		"deleted while suspended": {from: flowStatus(suspended, "m"), to: flowStatus(terminating, "m")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, eventsInWords(status.Compare(c.from, c.to).Events())); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventsOfADaemonJob(t *testing.T) {
	daemonStatus := func(state v1alpha1.State, runs ...runBuilder) *v1alpha1.DaemonJobStatus {
		return &v1alpha1.DaemonJobStatus{Summary: v1alpha1.Summary{State: state, Message: "m"}, Nodes: entries(runs...)}
	}
	second := run("n1").running()
	second.JobUID = "second"
	cases := map[string]struct {
		from, to *v1alpha1.DaemonJobStatus
		want     []string
	}{
		"a node failed": {
			from: daemonStatus(v1alpha1.StateRunning, run("n1").running()),
			to:   daemonStatus(v1alpha1.StateFailed, run("n1").failed("X", "y")),
			want: []string{"Warning NodeFailed n1 failed: X: y", "Warning Failed m"},
		},
		"a node came back and got a second Job": {
			from: daemonStatus(v1alpha1.StateRunning, run("n1").running().skipped(v1alpha1.ReasonNodeGone)),
			to:   daemonStatus(v1alpha1.StateRunning, second),
			want: []string{"Normal JobCreated created Job p-n1"},
		},
		"a node that Succeeded is no longer listed": {
			from: daemonStatus(v1alpha1.StateRunning, run("n1").running(), run("n2").running()),
			to:   daemonStatus(v1alpha1.StateRunning, run("n2").running()),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, eventsInWords(status.Compare(c.from, c.to).Events())); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func eventsInWords(list []status.Event) []string {
	var words []string
	for _, event := range list {
		words = append(words, fmt.Sprintf("%s %s %s", event.Type, event.Reason, event.Message))
	}
	return words
}
