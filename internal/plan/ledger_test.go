package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

func TestResultsAreLatched(t *testing.T) {
	checkFlows(t, map[string]flowCase{
		"the Job of a step that Succeeded is gone": {
			flow: newFlow("a", "b: a").recorded(run("a").succeeded(), run("b").running()),
			seen: seen(job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running"}},
		},
		"it is gone, and its dependent starts anyway": {
			flow: newFlow("a", "b: a").recorded(run("a").succeeded()),
			seen: seen(),
			want: outcome{Runs: []string{"a Succeeded", "b Waiting"}, Create: []string{"p-b"}},
		},
		"the Job of a step that Failed is gone": {
			flow: newFlow("a", "b").recorded(run("a").failed("BackoffLimitExceeded"), run("b").running()),
			seen: seen(job("b")),
			want: outcome{Runs: []string{"a Failed BackoffLimitExceeded", "b Running"}},
		},
		"another Job of the name does not change a result": {
			flow: newFlow("a", "b: a").recorded(run("a").succeeded(), run("b").running()),
			seen: seen(job("a").uid("other").failed(), job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running"}},
		},
		"a step that was rejected is not tried again": {
			flow: newFlow("a", "b").recorded(runBuilder{v1alpha1.RunStatus{
				Name: "a", Phase: v1alpha1.PhaseFailed, Reason: v1alpha1.ReasonJobRejected,
			}}, run("b").running()),
			seen: seen(job("b")),
			want: outcome{Runs: []string{"a Failed JobRejected", "b Running"}},
		},
	})
}

func TestJobsThatVanish(t *testing.T) {
	const deleted = "a Failed JobDeleted: Job p-a was deleted before it had ended"
	checkFlows(t, map[string]flowCase{
		"a Job that ran is gone: a failure, not a second run": {
			flow: newFlow("a").recorded(run("a").running()),
			seen: seen().gone("a"),
			want: outcome{Runs: []string{deleted}},
		},
		"a Job that was queued is gone": {
			flow: newFlow("a").recorded(run("a").withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonQueued)),
			seen: seen().gone("a"),
			want: outcome{Runs: []string{deleted}},
		},
		"not in the cache, and not read live": {
			flow: newFlow("a").recorded(run("a").running()),
			seen: seen(),
			want: outcome{Runs: []string{"a Running"}},
		},
		"another Job has its name: it is not taken for it": {
			flow: newFlow("a").recorded(run("a").running()),
			seen: seen(job("a").uid("other").complete()),
			want: outcome{Runs: []string{deleted}},
		},
		"being deleted is not gone yet": {
			flow: newFlow("a").recorded(run("a").running()),
			seen: seen(job("a").deleting()),
			want: outcome{Runs: []string{"a Running"}},
		},
		"it ended while being deleted": {
			flow: newFlow("a").recorded(run("a").running()),
			seen: seen(job("a").complete().deleting()),
			want: outcome{Runs: []string{"a Succeeded"}},
		},
	})
}

func TestTheTimeOfAVanishedJob(t *testing.T) {
	p := planFlow(t, newFlow("a").recorded(run("a").running()), seen().gone("a"))
	want := run("a").failed(v1alpha1.ReasonJobDeleted).RunStatus
	want.Message, want.CompletionTime = "Job p-a was deleted before it had ended", ago(0)
	if diff := cmp.Diff(want, p.Runs[0]); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}

func TestTheEntryOfAJob(t *testing.T) {
	cases := map[string]struct {
		recorded []runBuilder
		job      jobBuilder
		want     runBuilder
	}{
		"created, but the process died before it was recorded": {
			job:  job("a"),
			want: run("a").running(),
		},
		"likewise, and the step had been waiting": {
			recorded: []runBuilder{run("a").because(v1alpha1.ReasonDependency)},
			job:      job("a"),
			want:     run("a").running(),
		},
		"likewise, and it has ended since": {
			job: job("a").complete(),
			want: func() runBuilder {
				want := run("a").succeeded()
				return want
			}(),
		},
		"recorded already": {
			recorded: []runBuilder{run("a").running()},
			job:      job("a"),
			want:     run("a").running(),
		},
		"recorded already, as a second attempt": {
			recorded: []runBuilder{run("a").running().attempt(2)},
			job:      job("a"),
			want:     run("a").running().attempt(2),
		},
		"created as a second attempt, but not recorded": {
			recorded: []runBuilder{run("a").attempt(1)},
			job:      job("a"),
			want:     run("a").running().attempt(2),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := planFlow(t, newFlow("a").recorded(c.recorded...), seen(c.job))
			if diff := cmp.Diff(c.want.RunStatus, p.Runs[0]); diff != "" {
				t.Errorf("entry (-want +got):\n%s", diff)
			}
			if len(p.Create) > 0 {
				t.Error("it would be created again")
			}
		})
	}
}

func TestWhatBecameOfACreation(t *testing.T) {
	cases := map[string]struct {
		recorded []runBuilder
		become   func(p *plan.Plan)
		want     runBuilder
	}{
		"created": {
			become: func(p *plan.Plan) { p.RecordCreated(0, job("a").Job) },
			want:   run("a").running(),
		},
		"created, after a Job that is gone": {
			recorded: []runBuilder{run("a").attempt(1)},
			become:   func(p *plan.Plan) { p.RecordCreated(0, job("a").Job) },
			want:     run("a").running().attempt(2),
		},
		"found, and it has ended": {
			become: func(p *plan.Plan) { p.RecordCreated(0, job("a").complete().Job) },
			want:   run("a").succeeded(),
		},
		"failed, and is retried": {
			become: func(p *plan.Plan) {
				p.RecordFailure(0, plan.CreateFailure{Reason: v1alpha1.ReasonNameConflict, Message: "a Job\nhas the name"}, now)
			},
			want: func() runBuilder {
				want := run("a").because(v1alpha1.ReasonNameConflict)
				want.Message = "a Job has the name"
				return want
			}(),
		},
		"rejected": {
			become: func(p *plan.Plan) { p.RecordRejected(0, "spec.x:\ninvalid", now.Add(time.Second)) },
			want: func() runBuilder {
				want := run("a").because(v1alpha1.ReasonJobRejected)
				want.Phase, want.Message, want.CompletionTime = v1alpha1.PhaseFailed, "spec.x: invalid", ago(-time.Second)
				return want
			}(),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := planFlow(t, newFlow("a").recorded(c.recorded...), seen())
			if len(p.Create) != 1 || p.Create[0].Run != 0 {
				t.Fatalf("creations: %+v", p.Create)
			}
			c.become(&p)
			if diff := cmp.Diff(c.want.RunStatus, p.Runs[0]); diff != "" {
				t.Errorf("entry (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAHeldStepIsTriedAgain(t *testing.T) {
	for _, reason := range []string{v1alpha1.ReasonNameConflict, v1alpha1.ReasonCreateFailed, v1alpha1.ReasonInvalidJobTemplate} {
		t.Run(reason, func(t *testing.T) {
			p := planFlow(t, newFlow("a").recorded(run("a").because(reason)), seen())
			if len(p.Create) != 1 {
				t.Errorf("not tried again: %q", inWords(&p.Runs[0]))
			}
		})
	}
}

func TestPhases(t *testing.T) {
	cases := map[string]struct {
		run           runBuilder
		final, active bool
	}{
		"waits, without a Job":           {run: run("a")},
		"waits, with a Job":              {run: run("a").withJob(v1alpha1.PhaseWaiting), active: true},
		"runs":                           {run: run("a").running(), active: true},
		"Succeeded":                      {run: run("a").succeeded(), final: true},
		"Failed":                         {run: run("a").failed("X"), final: true},
		"Skipped":                        {run: run("a").skipped("X")},
		"Skipped, with a Job of a while": {run: run("a").running().skipped("X")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := plan.Final(c.run.Phase); got != c.final {
				t.Errorf("final: %t", got)
			}
			if got := plan.Active(&c.run.RunStatus); got != c.active {
				t.Errorf("active: %t", got)
			}
		})
	}
}
