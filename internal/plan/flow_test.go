package plan_test

import (
	"testing"
	"time"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestFailedSteps(t *testing.T) {
	checkFlows(t, map[string]flowCase{
		"a dependent is skipped and names the step": {
			flow: newFlow("a", "b: a").recorded(run("a").running()),
			seen: seen(job("a").failed()),
			want: outcome{Runs: []string{
				"a Failed BackoffLimitExceeded",
				"b Skipped DependencyFailed: depends on step a, which failed",
			}},
		},
		"so is one that depends on it through others": {
			flow: newFlow("c: b", "b: a", "a").recorded(run("a").running()),
			seen: seen(job("a").failed()),
			want: outcome{Runs: []string{
				"c Skipped DependencyFailed: depends on step a, which failed",
				"b Skipped DependencyFailed: depends on step a, which failed",
				"a Failed BackoffLimitExceeded",
			}},
		},
		"a step that does not depend on it and has not started is skipped too": {
			flow: newFlow("a", "b", "c: b").recorded(run("a").running(), run("b").running()),
			seen: seen(job("a").failed(), job("b")),
			want: outcome{Runs: []string{
				"a Failed BackoffLimitExceeded",
				"b Running",
				"c Skipped FlowFailed: step a failed before this one could start",
			}},
		},
		"nothing new starts though its dependencies are Complete": {
			flow: newFlow("a", "b", "c: b").recorded(run("a").failed("X")),
			seen: seen(job("b").complete()),
			want: outcome{Runs: []string{
				"a Failed X",
				"b Succeeded",
				"c Skipped FlowFailed: step a failed before this one could start",
			}},
		},
		"one waits for a place and gets none": {
			flow: newFlow("a", "b").parallelism(1),
			seen: seen(job("a").failed()),
			want: outcome{Runs: []string{
				"a Failed BackoffLimitExceeded",
				"b Skipped FlowFailed: step a failed before this one could start",
			}},
		},
		"what is skipped stays so when the Job of the culprit is gone": {
			flow: newFlow("a", "b: a").recorded(run("a").failed("X"), run("b").skipped(v1alpha1.ReasonDependencyFailed)),
			seen: seen(),
			want: outcome{Runs: []string{"a Failed X", "b Skipped DependencyFailed: depends on step a, which failed"}},
		},
		"of two that failed the first in the list is named": {
			flow: newFlow("c", "a", "b").recorded(run("b").failed("X"), run("a").failed("X")),
			seen: seen(),
			want: outcome{Runs: []string{
				"c Skipped FlowFailed: step a failed before this one could start", "a Failed X", "b Failed X",
			}},
		},
		"a dependent names a step that it depends on, not the first": {
			flow: newFlow("a", "b", "c: b").recorded(run("a").failed("X"), run("b").failed("X")),
			seen: seen(),
			want: outcome{Runs: []string{"a Failed X", "b Failed X", "c Skipped DependencyFailed: depends on step b, which failed"}},
		},
		"suspended at the same time": {
			flow: newFlow("a", "b").suspend().recorded(run("a").failed("X")),
			seen: seen(),
			want: outcome{
				Runs:      []string{"a Failed X", "b Skipped FlowFailed: step a failed before this one could start"},
				Suspended: true,
			},
		},
		"a Job whose creation was not recorded runs on": {
			flow: newFlow("a", "b").recorded(run("a").failed("X"), run("b").skipped(v1alpha1.ReasonFlowFailed)),
			seen: seen(job("b")),
			want: outcome{Runs: []string{"a Failed X", "b Running"}},
		},
		"a Job that was deleted counts as failed": {
			flow: newFlow("a", "b: a").recorded(run("a").running()),
			seen: seen().gone("a"),
			want: outcome{Runs: []string{
				"a Failed JobDeleted: Job p-a was deleted before it had ended",
				"b Skipped DependencyFailed: depends on step a, which failed",
			}},
		},
	})
}

func TestAFlowThatHasEnded(t *testing.T) {
	checkFlows(t, map[string]flowCase{
		"Complete: its Jobs may go, nothing runs again": {
			flow: newFlow("a").ended(v1alpha1.ConditionComplete, time.Hour).recorded(run("a").succeeded()),
			seen: seen(),
			want: outcome{Runs: []string{"a Succeeded"}, Ended: true},
		},
		"Failed: what was skipped does not start": {
			flow: newFlow("a", "b").ended(v1alpha1.ConditionFailed, time.Hour).recorded(run("a").failed("X"), run("b").skipped("Y")),
			seen: seen(),
			want: outcome{Runs: []string{"a Failed X", "b Skipped Y"}, Ended: true},
		},
		"Failed, then its deadline is raised": {
			flow: newFlow("a").deadline(3600).ended(v1alpha1.ConditionFailed, 0).recorded(run("a").skipped(v1alpha1.ReasonDeadlineExceeded)),
			seen: seen(),
			want: outcome{Runs: []string{"a Skipped DeadlineExceeded"}, Ended: true},
		},
		"an invalid spec is not an end: once fixed, it starts": {
			flow: newFlow("a").condition(v1alpha1.ConditionFailed, "True", v1alpha1.ReasonInvalidSpec),
			seen: seen(),
			want: outcome{Runs: []string{"a Waiting"}, Create: []string{"p-a"}},
		},
	})
}
