package plan_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

const (
	waitsForResume = "Waiting Suspended: waits for spec.suspend to be false"
	heldByFlow     = "Waiting Suspended: spec.suspend of the JobFlow is true"
)

func queued(run string) string {
	return run + " Waiting Queued: spec.suspend of Job p-" + run + " is true; it starts when a queue or a person sets that to false"
}

func TestSuspend(t *testing.T) {
	suspendedByUs := func(run string) jobBuilder {
		return job(run).suspended().annotated(v1alpha1.SuspendedAnnotation, "true")
	}
	checkFlows(t, map[string]flowCase{
		"before the start": {
			flow: newFlow("a").neverStarted().suspend(),
			seen: seen(),
			want: outcome{Runs: []string{"a " + waitsForResume}, Suspended: true},
		},
		"a Job that runs is suspended and marked, one that ended is not": {
			flow: newFlow("a", "b", "c: b").suspend().recorded(run("a").succeeded(), run("b").running()),
			seen: seen(job("a").complete(), job("b")),
			want: outcome{
				Runs:      []string{"a Succeeded", "b Running", "c " + waitsForResume},
				Update:    []string{"p-b: suspend=true +suspended-by-parent=true"},
				Suspended: true,
			},
		},
		"a Job that a queue holds is left alone": {
			flow: newFlow("a").suspend(),
			seen: seen(job("a").suspended()),
			want: outcome{Runs: []string{queued("a")}, Suspended: true},
		},
		"a Job that is held already is left alone": {
			flow: newFlow("a").suspend(),
			seen: seen(suspendedByUs("a")),
			want: outcome{Runs: []string{"a " + heldByFlow}, Suspended: true},
		},
		"a Job that somebody resumed is suspended again": {
			flow: newFlow("a").suspend(),
			seen: seen(job("a").annotated(v1alpha1.SuspendedAnnotation, "true")),
			want: outcome{Runs: []string{"a Running"}, Update: []string{"p-a: suspend=true"}, Suspended: true},
		},
		"a Job that is being deleted is left alone": {
			flow: newFlow("a").suspend(),
			seen: seen(job("a").deleting()),
			want: outcome{Runs: []string{"a Running"}, Suspended: true},
		},
		"resumed: our Jobs go on and lose the mark, a queue's stay": {
			flow: newFlow("a", "b", "c").recorded(run("c").because(v1alpha1.ReasonSuspended)),
			seen: seen(suspendedByUs("a"), job("b").suspended()),
			want: outcome{
				Runs:   []string{"a " + heldByFlow, queued("b"), "c Waiting"},
				Create: []string{"p-c"},
				Update: []string{"p-a: suspend=false -suspended-by-parent"},
			},
		},
		"resumed, but a Job had ended": {
			flow: newFlow("a"),
			seen: seen(suspendedByUs("a").failed()),
			want: outcome{Runs: []string{"a Failed BackoffLimitExceeded"}},
		},
	})
}

func TestTheClock(t *testing.T) {
	cases := map[string]struct {
		flow flowBuilder
		want *metav1.Time
	}{
		"starts when the flow is first active": {newFlow("a").neverStarted(), ago(0)},
		"does not start while it is suspended": {newFlow("a").neverStarted().suspend(), nil},
		"goes on":                              {newFlow("a"), ago(time.Minute)},
		"stands while it is suspended": {
			newFlow("a").suspend().condition(v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended), ago(time.Minute),
		},
		"is reset when it is resumed": {
			newFlow("a").condition(v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended), ago(0),
		},
		"is reset once only": {
			newFlow("a").condition(v1alpha1.ConditionSuspended, metav1.ConditionFalse, v1alpha1.ReasonResumed), ago(time.Minute),
		},
		"stands once it has ended": {newFlow("a").ended(v1alpha1.ConditionComplete, 0), ago(time.Minute)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := planFlow(t, c.flow, seen())
			if diff := cmp.Diff(c.want, p.StartTime); diff != "" {
				t.Errorf("start (-want +got):\n%s", diff)
			}
		})
	}
}

// The flows here have been active for a minute.
func TestDeadline(t *testing.T) {
	const tooLate = "Skipped DeadlineExceeded: the flow's activeDeadlineSeconds passed before the step could start"
	ended := func(run string) jobBuilder {
		return job(run).annotated(v1alpha1.DeadlineAnnotation, "true").
			with(func(j *batchv1.Job) { j.Spec.ActiveDeadlineSeconds = new(int64(1)) })
	}
	checkFlows(t, map[string]flowCase{
		"never, in the largest number there is": {
			flow: newFlow("a").deadline(math.MaxInt64),
			seen: seen(job("a")),
			want: outcome{Runs: []string{"a Running"}},
		},
		"not yet: look again when it passes": {
			flow: newFlow("a").deadline(61),
			seen: seen(job("a")),
			want: outcome{Runs: []string{"a Running"}, RequeueAfter: time.Second},
		},
		"passed: what runs is ended, what waits is skipped": {
			flow: newFlow("a", "b: a", "c").deadline(60).parallelism(1),
			seen: seen(job("a")),
			want: outcome{
				Runs:    []string{"a Running", "b " + tooLate, "c " + tooLate},
				Update:  []string{"p-a: activeDeadlineSeconds=1 +ended-by-deadline=true"},
				Expired: true,
			},
		},
		"passed: a Job is ended once": {
			flow: newFlow("a").deadline(60),
			seen: seen(ended("a")),
			want: outcome{Runs: []string{"a Running"}, Expired: true},
		},
		"passed: a Job that is being deleted is left alone": {
			flow: newFlow("a").deadline(60),
			seen: seen(job("a").deleting()),
			want: outcome{Runs: []string{"a Running"}, Expired: true},
		},
		"passed: a Job that has ended keeps its result": {
			flow: newFlow("a", "b: a").deadline(60),
			seen: seen(job("a").complete()),
			want: outcome{Runs: []string{"a Succeeded", "b " + tooLate}, Expired: true},
		},
		"passed: a suspended Job has no clock and is deleted": {
			flow: newFlow("a").deadline(60),
			seen: seen(job("a").suspended()),
			want: outcome{Runs: []string{queued("a")}, Delete: []string{"p-a"}, Expired: true},
		},
		"passed: a suspended Job that we deleted failed for the deadline": {
			flow: newFlow("a").deadline(60).recorded(run("a").withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonQueued)),
			seen: seen().gone("a"),
			want: outcome{
				Runs:    []string{"a Failed DeadlineExceeded: the flow's activeDeadlineSeconds passed while the Job was suspended"},
				Expired: true,
			},
		},
		"passed: a Job that ran, and that a person deleted, failed because of that": {
			flow: newFlow("a").deadline(60).recorded(run("a").running()),
			seen: seen().gone("a"),
			want: outcome{Runs: []string{"a Failed JobDeleted: Job p-a was deleted before it had ended"}, Expired: true},
		},
		"passed: a reason of a Job that equals one of the operator": {
			flow: newFlow("a").deadline(60),
			seen: seen(job("a").ended(batchv1.JobFailed, v1alpha1.ReasonJobDeleted)),
			want: outcome{Runs: []string{"a Failed JobDeleted"}, Expired: true},
		},
		"passed: a Job that was deleted before that failed for that": {
			flow: newFlow("a", "b").deadline(60).recorded(run("a").failed(v1alpha1.ReasonJobDeleted), run("b").running()),
			seen: seen(ended("b")),
			want: outcome{Runs: []string{"a Failed JobDeleted", "b Running"}, Expired: true},
		},
		"suspended: it does not pass": {
			flow: newFlow("a").deadline(1).suspend(),
			seen: seen(job("a").suspended().annotated(v1alpha1.SuspendedAnnotation, "true")),
			want: outcome{Runs: []string{"a " + heldByFlow}, Suspended: true},
		},
		"just resumed: it starts over": {
			flow: newFlow("a").deadline(30).condition(v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended),
			seen: seen(job("a")),
			want: outcome{Runs: []string{"a Running"}, RequeueAfter: 30 * time.Second},
		},
		"never active before: it starts now": {
			flow: newFlow("a").deadline(30).neverStarted(),
			seen: seen(),
			want: outcome{Runs: []string{"a Waiting"}, Create: []string{"p-a"}, RequeueAfter: 30 * time.Second},
		},
	})
}

func TestTTLOfTheFlow(t *testing.T) {
	ended := func() flowBuilder {
		return newFlow("a").ended(v1alpha1.ConditionComplete, 10*time.Second).recorded(run("a").succeeded())
	}
	runs := []string{"a Succeeded"}
	checkFlows(t, map[string]flowCase{
		"none":       {flow: ended(), seen: seen(), want: outcome{Runs: runs, Ended: true}},
		"not yet":    {flow: ended().ttl(11), seen: seen(), want: outcome{Runs: runs, Ended: true, RequeueAfter: time.Second}},
		"passed":     {flow: ended().ttl(10), seen: seen(), want: outcome{Runs: runs, Ended: true, DeleteParent: true}},
		"0: at once": {flow: ended().ttl(0), seen: seen(), want: outcome{Runs: runs, Ended: true, DeleteParent: true}},
		"not ended":  {flow: newFlow("a").ttl(0), seen: seen(job("a")), want: outcome{Runs: []string{"a Running"}}},
		"end not yet recorded": {
			flow: newFlow("a").ttl(0).recorded(run("a").running()),
			seen: seen(job("a").complete()),
			want: outcome{Runs: runs},
		},
	})
}

func TestWakeAfterKeepsTheEarliest(t *testing.T) {
	p := planFlow(t, newFlow("a").deadline(90), seen(job("a")))
	for _, d := range []time.Duration{time.Hour, 0, -time.Second} {
		p.WakeAfter(d)
		if p.RequeueAfter != 30*time.Second {
			t.Errorf("after %s: %s", d, p.RequeueAfter)
		}
	}
	if p.WakeAfter(time.Second); p.RequeueAfter != time.Second {
		t.Errorf("an earlier time does not count: %s", p.RequeueAfter)
	}
}
