package status_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

func TestCountsAndTimes(t *testing.T) {
	p := planned(
		run("a").succeeded(), run("b").succeeded(), run("c").failed("X", ""), run("d").skipped("X"),
		run("e").running(), run("f").running(), run("g").running(), run("h"),
	)
	got := status.Flow(newFlow(), &p.Plan, now).Summary
	got.Conditions, got.Message = nil, ""
	want := v1alpha1.Summary{
		State: v1alpha1.StateRunning, ObservedGeneration: generation, StartTime: &before, Progress: "2/8",
		Waiting: 1, Running: 3, Succeeded: 2, Failed: 1, Skipped: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if got := status.Flow(newFlow(), &planned(run("a").succeeded()).Plan, now).CompletionTime; got == nil || !got.Time.Equal(now) {
		t.Errorf("completion %s", got)
	}
}

func TestConditions(t *testing.T) {
	type condition struct {
		kind   string
		is     metav1.ConditionStatus
		reason string
	}
	ready := func(reason string) condition {
		return condition{v1alpha1.ConditionReady, metav1.ConditionFalse, reason}
	}
	cases := map[string]struct {
		recorded []condition
		plan     *planBuilder
		want     []string
	}{
		"the first: those that were never true are left out": {
			plan: planned(run("a").running()),
			want: []string{"Ready=False Running since now"},
		},
		"nothing has changed": {
			recorded: []condition{ready(v1alpha1.ReasonRunning)},
			plan:     planned(run("a").running()),
			want:     []string{"Ready=False Running"},
		},
		"the reason changes, the status does not: the time stays": {
			recorded: []condition{ready(v1alpha1.ReasonPending)},
			plan:     planned(run("a").running()),
			want:     []string{"Ready=False Running"},
		},
		"Complete": {
			recorded: []condition{ready(v1alpha1.ReasonRunning)},
			plan:     planned(run("a").succeeded()),
			want:     []string{"Ready=True Completed since now", "Complete=True Completed since now"},
		},
		"Failed": {
			recorded: []condition{ready(v1alpha1.ReasonRunning)},
			plan:     planned(run("a").failed("X", "")),
			want:     []string{"Ready=False StepFailed", "Failed=True StepFailed since now", "Stalled=True StepFailed since now"},
		},
		"suspended": {
			recorded: []condition{ready(v1alpha1.ReasonRunning)},
			plan:     planned(run("a")).suspended(),
			want:     []string{"Ready=False Suspended", "Suspended=True Suspended since now"},
		},
		"still suspended": {
			recorded: []condition{ready(v1alpha1.ReasonSuspended), {v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended}},
			plan:     planned(run("a")).suspended(),
			want:     []string{"Ready=False Suspended", "Suspended=True Suspended"},
		},
		"resumed": {
			recorded: []condition{ready(v1alpha1.ReasonSuspended), {v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended}},
			plan:     planned(run("a").running()),
			want:     []string{"Ready=False Running", "Suspended=False Resumed since now"},
		},
		"an invalid spec was fixed": {
			recorded: []condition{
				ready(v1alpha1.ReasonInvalidSpec),
				{v1alpha1.ConditionFailed, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec},
				{v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec},
			},
			plan: planned(run("a").running()),
			want: []string{"Ready=False Running", "Failed=False Running since now", "Stalled=False Running since now"},
		},
		"a name that was taken is free": {
			recorded: []condition{ready(v1alpha1.ReasonNameConflict), {v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonNameConflict}},
			plan:     planned(run("a").running()),
			want:     []string{"Ready=False Running", "Stalled=False Running since now"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			flow := newFlow()
			for _, recorded := range c.recorded {
				recordedCondition(&flow.Status.Summary, recorded.kind, recorded.is, recorded.reason)
			}
			untouched := flow.DeepCopy()
			got := status.Flow(flow, &c.plan.Plan, now)
			if diff := cmp.Diff(c.want, inWords(got.Conditions)); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
			for _, condition := range got.Conditions {
				if condition.ObservedGeneration != generation || condition.Message != got.Message {
					t.Errorf("%s is of generation %d and says %q, the status says %q", condition.Type, condition.ObservedGeneration, condition.Message, got.Message)
				}
			}
			if diff := cmp.Diff(untouched, flow); diff != "" {
				t.Errorf("the object that was read has changed:\n%s", diff)
			}
		})
	}
}

func TestAStatusThatIsComputedAgainIsTheSame(t *testing.T) {
	p := planned(run("a").failed("X", "y"), run("b").running())
	flow := newFlow()
	flow.Status = status.Flow(flow, &p.Plan, before.Time)
	if diff := cmp.Diff(flow.Status, status.Flow(flow, &p.Plan, now)); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

func TestMessagesAreClipped(t *testing.T) {
	p := planned(run("a").because(v1alpha1.ReasonNameConflict, "two\nlines "+strings.Repeat("ü", 5000)))
	got := status.Flow(newFlow(), &p.Plan, now)
	for what, message := range map[string]string{"status": got.Message, "condition": got.Conditions[0].Message} {
		if n := utf8.RuneCountInString(message); n != 1024 || !strings.HasPrefix(message, "step a: two lines ü") || !strings.HasSuffix(message, "ü…") {
			t.Errorf("%s: %d characters: %.30q", what, n, message)
		}
	}
}

func TestEndedObjectsStayAsTheyAre(t *testing.T) {
	flow := newFlow()
	flow.Status = status.Flow(flow, &planned(run("a").succeeded()).Plan, before.Time)
	flow.Status.ObservedGeneration = generation - 1
	want := flow.Status
	want.ObservedGeneration = generation

	t.Run("JobFlow", func(t *testing.T) {
		if diff := cmp.Diff(want, status.Flow(flow, &planned().ended().Plan, now)); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	})
	t.Run("JobFlow whose spec is invalid by now", func(t *testing.T) {
		if diff := cmp.Diff(want, invalidFlow(flow, now)); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	})

	dj := newDaemon()
	dj.Status = status.Daemon(dj, &planned(run("n1").succeeded()).Plan, nil, before.Time)
	dj.Status.ObservedGeneration = generation - 1
	wantDaemon := dj.Status
	wantDaemon.ObservedGeneration = generation

	t.Run("DaemonJob", func(t *testing.T) {
		if diff := cmp.Diff(wantDaemon, status.Daemon(dj, &planned().ended().Plan, nil, now)); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	})
	t.Run("DaemonJob whose spec is invalid by now", func(t *testing.T) {
		if diff := cmp.Diff(&wantDaemon, status.Invalid(dj, mistakes(), now)); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	})
}

func mistakes() field.ErrorList {
	return field.ErrorList{
		field.Required(field.NewPath("spec", "flows"), "at least one"),
		field.Invalid(field.NewPath("spec", "parallelism"), 0, "must be one of [1, 2]"),
	}
}

func invalidFlow(flow *v1alpha1.JobFlow, now time.Time) v1alpha1.JobFlowStatus {
	return *status.Invalid(flow, mistakes(), now).(*v1alpha1.JobFlowStatus)
}

func TestInvalidSpec(t *testing.T) {
	flow := newFlow()
	flow.Spec.Flows = make([]v1alpha1.FlowStep, 3)
	flow.Status = status.Flow(flow, &planned(run("a").succeeded(), run("b").running()).Plan, before.Time)

	got := invalidFlow(flow, now)
	want := said{
		State: v1alpha1.StateFailed, Progress: "1/3", Ready: "InvalidSpec", Stalled: "InvalidSpec",
		Message: "spec.flows: Required value: at least one, spec.parallelism: Invalid value: 0: must be one of [1, 2]",
	}
	if diff := cmp.Diff(want, shortOf(&got.Summary)); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(flow.Status.Flows, got.Flows); diff != "" {
		t.Errorf("what is recorded of the steps is lost:\n%s", diff)
	}
	if plan.Ended(&got) {
		t.Error("it counts as an end, although it can be fixed")
	}
	flow.Status = got
	if diff := cmp.Diff(got, invalidFlow(flow, now.Add(1))); diff != "" {
		t.Errorf("computed again it is another:\n%s", diff)
	}

	fixed := status.Flow(flow, &planned(run("a").succeeded(), run("b").running(), run("c")).Plan, now)
	if fixed.State != v1alpha1.StateRunning || fixed.StartTime == nil {
		t.Errorf("fixed, it is %s since %s", fixed.State, fixed.StartTime)
	}
}

// The condition Suspended is what resets the clock of the deadline: an invalid spec
// in between must not look like a resumption.
func TestInvalidSpecKeepsSuspension(t *testing.T) {
	flow := newFlow()
	held := planned(run("a").running())
	held.Suspended = true
	flow.Status = status.Flow(flow, &held.Plan, before.Time)
	for _, written := range []v1alpha1.ParentStatus{status.Invalid(flow, mistakes(), now), status.Terminating(flow, now)} {
		next := written.GetSummary()
		if !meta.IsStatusConditionTrue(next.Conditions, v1alpha1.ConditionSuspended) {
			t.Errorf("%s: no longer suspended: %v", next.State, next.Conditions)
		}
	}
}

func TestInvalidSpecOfADaemonJob(t *testing.T) {
	dj := newDaemon()
	dj.Status = status.Daemon(dj, &planned(run("n1").succeeded(), run("n2").running()).Plan, nil, before.Time)
	dj.Status.SucceededDigest = plan.Digest(nil).With([]string{"n3"})
	got := *status.Invalid(dj, mistakes()[:1], now).(*v1alpha1.DaemonJobStatus)

	want := said{
		State: v1alpha1.StateFailed, Progress: "2/2", Ready: "InvalidSpec", Stalled: "InvalidSpec",
		Message: "spec.flows: Required value: at least one",
	}
	if diff := cmp.Diff(want, shortOf(&got.Summary)); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(dj.Status.Nodes, got.Nodes) + cmp.Diff(dj.Status.SucceededDigest, got.SucceededDigest); diff != "" {
		t.Errorf("what is recorded of the nodes is lost:\n%s", diff)
	}
}

func TestTerminating(t *testing.T) {
	const message = "the object is being deleted, and its Jobs and pods with it"
	running := newFlow()
	running.Status = status.Flow(running, &planned(run("a").running()).Plan, before.Time)
	ended := newFlow()
	ended.Status = status.Flow(ended, &planned(run("a").succeeded()).Plan, before.Time)

	cases := map[string]struct {
		flow       *v1alpha1.JobFlow
		conditions []string
	}{
		"running":                            {running, []string{"Ready=False Terminating"}},
		"never seen":                         {newFlow(), []string{"Ready=False Terminating since now"}},
		"ended: its conditions are the last": {ended, []string{"Complete=True Completed", "Ready=True Completed"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := *status.Terminating(c.flow, now).(*v1alpha1.JobFlowStatus)
			if got.State != v1alpha1.StateTerminating || got.Message != message || got.ObservedGeneration != generation {
				t.Errorf("status %s of generation %d: %s", got.State, got.ObservedGeneration, got.Message)
			}
			if diff := cmp.Diff(c.conditions, inWords(got.Conditions)); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.flow.Status.Flows, got.Flows); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("DaemonJob", func(t *testing.T) {
		dj := newDaemon()
		dj.Status = status.Daemon(dj, &planned(run("n1").running()).Plan, nil, before.Time)
		got := *status.Terminating(dj, now).(*v1alpha1.DaemonJobStatus)
		if got.State != v1alpha1.StateTerminating || got.Desired != 1 || len(got.Nodes) != 1 {
			t.Errorf("status: %+v", got)
		}
	})
}
