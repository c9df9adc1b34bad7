package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestStalled(t *testing.T) {
	run := func(name string, phase v1alpha1.Phase, reason string, times ...*metav1.Time) v1alpha1.RunStatus {
		r := v1alpha1.RunStatus{Name: name, Phase: phase, Reason: reason}
		if len(times) > 0 {
			r.StartTime = times[0]
		}
		if len(times) > 1 {
			r.CompletionTime = times[1]
		}
		return r
	}
	condition := func(kind string, status metav1.ConditionStatus, reason string, second int64) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, LastTransitionTime: *at(second)}
	}
	running := v1alpha1.Summary{State: v1alpha1.StateRunning, StartTime: at(10)}
	busy := running
	busy.Running = 1
	done := run("done", v1alpha1.PhaseSucceeded, "", at(20), at(30))

	type want struct {
		reason string
		since  int64
	}
	for name, test := range map[string]struct {
		summary v1alpha1.Summary
		runs    []v1alpha1.RunStatus
		want    *want
	}{
		"it was never reconciled": {
			want: &want{unknown, 5},
		},
		"the next step has no JobTemplate": {
			summary: running,
			runs:    []v1alpha1.RunStatus{done, run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonJobTemplateMissing)},
			want:    &want{v1alpha1.ReasonJobTemplateMissing, 30},
		},
		"a pod cannot be placed": {
			summary: running,
			runs:    []v1alpha1.RunStatus{done, run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonUnschedulable, at(40))},
			want:    &want{v1alpha1.ReasonUnschedulable, 40},
		},
		"the reason is that of the step that is held up, not of one whose turn has not come": {
			summary: running,
			runs: []v1alpha1.RunStatus{
				run("last", v1alpha1.PhaseWaiting, v1alpha1.ReasonDependency),
				run("other", v1alpha1.PhaseWaiting, v1alpha1.ReasonParallelism),
				run("first", v1alpha1.PhaseWaiting, v1alpha1.ReasonNameConflict),
			},
			want: &want{v1alpha1.ReasonNameConflict, 10},
		},
		"another Job runs, be it for days": {
			summary: busy,
			runs: []v1alpha1.RunStatus{
				run("long", v1alpha1.PhaseRunning, "", at(11)),
				run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonImagePull, at(12)),
			},
		},
		"a queue takes its time": {
			summary: running,
			runs: []v1alpha1.RunStatus{
				run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonImagePull, at(12)),
				run("queued", v1alpha1.PhaseWaiting, v1alpha1.ReasonQueued, at(12)),
			},
		},
		"suspended": {
			summary: v1alpha1.Summary{State: v1alpha1.StateSuspended, StartTime: at(10)},
			runs:    []v1alpha1.RunStatus{run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonSuspended)},
		},
		"being deleted": {
			summary: v1alpha1.Summary{State: v1alpha1.StateTerminating, StartTime: at(10)},
			runs:    []v1alpha1.RunStatus{run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonImagePull)},
		},
		"Succeed": {
			summary: v1alpha1.Summary{
				State:      v1alpha1.StateSucceed,
				Conditions: []metav1.Condition{condition(v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonCompleted, 30)},
			},
			runs: []v1alpha1.RunStatus{done},
		},
		"Failed": {
			summary: v1alpha1.Summary{
				State:      v1alpha1.StateFailed,
				Conditions: []metav1.Condition{condition(v1alpha1.ConditionFailed, metav1.ConditionTrue, v1alpha1.ReasonStepFailed, 30)},
			},
			runs: []v1alpha1.RunStatus{run("a", v1alpha1.PhaseFailed, "BackoffLimitExceeded", at(20), at(30))},
		},
		"an invalid spec, whatever ran when it became so": {
			summary: v1alpha1.Summary{
				State: v1alpha1.StateFailed, StartTime: at(10), Running: 1,
				Conditions: []metav1.Condition{condition(v1alpha1.ConditionFailed, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec, 50)},
			},
			want: &want{v1alpha1.ReasonInvalidSpec, 50},
		},
		"no node is eligible": {
			summary: v1alpha1.Summary{
				State: v1alpha1.StatePending, StartTime: at(10),
				Conditions: []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNoEligibleNode, 11)},
			},
			runs: []v1alpha1.RunStatus{run("node", v1alpha1.PhaseSkipped, v1alpha1.ReasonUntoleratedTaint)},
			want: &want{v1alpha1.ReasonNoEligibleNode, 10},
		},
		"a step could start and does not": {
			summary: running,
			runs:    []v1alpha1.RunStatus{done, run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonDependency)},
			want:    &want{unknown, 30},
		},
		"a reason that a later version may have": {
			summary: running,
			runs:    []v1alpha1.RunStatus{run("next", v1alpha1.PhaseWaiting, "Later")},
			want:    &want{unknown, 10},
		},
		"resumed": {
			summary: v1alpha1.Summary{State: v1alpha1.StateRunning, StartTime: at(60)},
			runs:    []v1alpha1.RunStatus{done, run("next", v1alpha1.PhaseWaiting, v1alpha1.ReasonCreateFailed)},
			want:    &want{v1alpha1.ReasonCreateFailed, 60},
		},
	} {
		t.Run(name, func(t *testing.T) {
			reason, since, is := findStall(*at(5), &test.summary, test.runs)
			switch {
			case is != (test.want != nil):
				t.Errorf("stalled is %t (%s)", is, reason)
			case is && (reason != test.want.reason || !since.Equal(time.Unix(test.want.since, 0))):
				t.Errorf("%s since %d, want %v", reason, since.Unix(), *test.want)
			}
		})
	}
}

// What the documentation lists by hand is what is counted.
func TestReasonsAreThoseOfTheDocumentation(t *testing.T) {
	column := func(page, heading string) []string {
		t.Helper()
		content, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		_, section, found := strings.Cut(string(content), heading+"\n")
		if !found {
			t.Fatalf("docs/%s has no %s", page, heading)
		}
		section, _, _ = strings.Cut(section, "\n#")
		var reasons []string
		for _, line := range regexp.MustCompile(`(?m)^\| (`+"`[^|]*`"+`) \|`).FindAllStringSubmatch(section, -1) {
			for _, match := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(line[1], -1) {
				reasons = append(reasons, match[1])
			}
		}
		return reasons
	}
	sorted := cmpopts.SortSlices(strings.Compare)

	// The page names those of Waiting steps and nodes by who has to act.
	others := append(slices.DeleteFunc(slices.Clone(stalledReasons), func(r string) bool { return slices.Contains(waitingReasons, r) }), unknown)
	if diff := cmp.Diff(column("guide/monitoring.md", "## What stalled means"), others, sorted); diff != "" {
		t.Errorf("stalled (-documented +counted):\n%s", diff)
	}
	for _, reason := range waitingReasons {
		actor := v1alpha1.LookUpReason(reason).Actor
		if named := actor == v1alpha1.ActorPerson || actor == v1alpha1.ActorKubernetes; named != slices.Contains(stalledReasons, reason) {
			t.Errorf("%s, for which %s has to act: by the page it counts as stalled: %t", reason, actor, named)
		}
	}
	if diff := cmp.Diff(column("runbooks/JobFlowReconcileErrors.md", "## Diagnosis"), errorReasons, sorted); diff != "" {
		t.Errorf("errors (-documented +counted):\n%s", diff)
	}
}
