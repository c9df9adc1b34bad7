package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestHowLongAStatusWaits(t *testing.T) {
	started := func(uids ...string) []v1alpha1.RunStatus {
		runs := []v1alpha1.RunStatus{{Name: "a"}, {Name: "b"}, {Name: "c"}}
		for i, uid := range uids {
			runs[i].JobUID = uid
		}
		return runs
	}
	ended := started("u")
	ended[0].Phase = v1alpha1.PhaseSucceeded
	running, succeed := v1alpha1.StateRunning, v1alpha1.StateSucceed
	for name, c := range map[string]struct {
		state v1alpha1.State
		runs  []v1alpha1.RunStatus
		want  time.Duration
	}{
		"a result":                         {running, ended, gatherResults + 3*gatherPerRun},
		"a Job was created":                {running, started("u", "v"), 3 * gatherPerRun},
		"a Job was created instead of one": {running, started("w"), 3 * gatherPerRun},
		"the end":                          {succeed, ended, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := window(&v1alpha1.Summary{State: running}, &v1alpha1.Summary{State: c.state}, started("u"), c.runs); got != c.want {
				t.Errorf("it waits %s, not %s", got, c.want)
			}
		})
	}
}

func TestUnwrittenStatus(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	status := func(succeeded int32) v1alpha1.JobFlowStatus {
		return v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, Succeeded: succeeded}}
	}
	const wait = time.Second
	type write struct {
		at, window, want time.Duration // at is after the start
	}
	cases := map[string][]write{
		"a change waits":                            {{0, wait, wait}},
		"later changes wait no longer than that":    {{0, wait, wait}, {wait / 4, wait, wait * 3 / 4}, {wait, wait, 0}},
		"one that may not wait takes the others in": {{0, wait, wait}, {wait / 2, 0, 0}},
		"the clock is set back":                     {{0, wait, wait}, {-time.Hour, wait, wait}, {-time.Hour + wait, wait, 0}},
	}
	for name, writes := range cases {
		t.Run(name, func(t *testing.T) {
			u, flow := newUnwritten[v1alpha1.JobFlowStatus](), flowAt("u", "1")
			written := status(0)
			for i, w := range writes {
				if got := u.gather(flow, status(int32(i+1)), w.window, start.Add(w.at)); got != w.want {
					t.Errorf("write %d waits %s, not %s", i, got, w.want)
				}
			}
			if newest, differs := u.of(flow, written, &written.Summary); !differs || newest.Succeeded != int32(len(writes)) {
				t.Errorf("newest is %v", newest)
			}
			if _, differs := u.of(flowAt("another", "1"), written, &written.Summary); differs {
				t.Error("another object of the name has that status")
			}
		})
	}
}

// A write of which no answer came may have taken effect. Nothing else says so: no event
// follows that would bring another look at what the write was waited for.
func TestStatusWrittenThoughNoAnswerCame(t *testing.T) {
	now := time.Unix(1_000_000, 0)
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
			u.gather(flow, c.kept, time.Second, now)
			newest, differs := u.of(flow, c.written, &c.written.Summary)
			if differs || len(newest.Flows) != len(c.written.Flows) {
				t.Errorf("it counts as unwritten: %v", newest)
			}
		})
	}
}
