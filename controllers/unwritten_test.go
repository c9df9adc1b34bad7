package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestUnwrittenStatus(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	running := v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, Running: 1}}
	next := v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, Running: 2}}
	ended := v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateSucceed}}
	const runs = 100
	wait := gatherAtLeast + runs*gatherPerRun

	type write struct {
		at    time.Duration // after the start
		after v1alpha1.JobFlowStatus
		want  time.Duration
	}
	cases := map[string][]write{
		"a change waits":                           {{0, next, wait}},
		"later changes wait no longer than that":   {{0, next, wait}, {wait / 4, next, wait * 3 / 4}, {wait, next, 0}},
		"a change of state does not wait":          {{0, next, wait}, {wait / 2, ended, 0}},
		"the clock is set back":                    {{0, next, wait}, {-time.Hour, next, wait}},
		"the clock is set back in the second wait": {{0, next, wait}, {-time.Hour, next, wait}, {-time.Hour + wait, next, 0}},
	}
	for name, writes := range cases {
		t.Run(name, func(t *testing.T) {
			u, flow := newUnwritten[v1alpha1.JobFlowStatus](), flowAt("u", "1")
			for i, w := range writes {
				if got := u.gather(flow, w.after, &running.Summary, &w.after.Summary, runs, start.Add(w.at)); got != w.want {
					t.Errorf("write %d waits %s, not %s", i, got, w.want)
				}
			}
			newest, differs := u.of(flow, running, &running.Summary)
			if want := writes[len(writes)-1].after; !differs || newest.State != want.State || newest.Running != want.Running {
				t.Errorf("newest is %v", newest)
			}
			if _, differs := u.of(flowAt("another", "1"), running, &running.Summary); differs {
				t.Error("another object of the name has that status")
			}
		})
	}
}

// A write of which no answer came may have taken effect. Nothing else says so: no event
// follows that would bring another look at what the write was waited for.
func TestStatusWrittenThoughNoAnswerCame(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	before := v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, Running: 2}}
	after := v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, Running: 1, Succeeded: 1}}
	ended := v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateSucceed, Conditions: []metav1.Condition{
		{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue},
	}}}
	withRuns := *ended.DeepCopy()
	withRuns.Flows = []v1alpha1.RunStatus{{Name: "a", Phase: v1alpha1.PhaseSucceeded}}
	for name, c := range map[string]struct{ kept, written v1alpha1.JobFlowStatus }{
		"a result":                              {after, after},
		"an end, of which less is in the cache": {withRuns, ended},
	} {
		t.Run(name, func(t *testing.T) {
			u, flow := newUnwritten[v1alpha1.JobFlowStatus](), flowAt("u", "1")
			u.gather(flow, c.kept, &before.Summary, &c.kept.Summary, 1, now)
			newest, differs := u.of(flow, c.written, &c.written.Summary)
			if differs || len(newest.Flows) != len(c.written.Flows) {
				t.Errorf("it counts as unwritten: %v", newest)
			}
		})
	}
}
