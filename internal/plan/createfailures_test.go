package plan_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

func TestWhatStatusShowsOfFailedCreations(t *testing.T) {
	refused := func(message string) plan.CreateFailure {
		return plan.CreateFailure{Reason: v1alpha1.ReasonCreateFailed, Message: message}
	}
	down := plan.CreateFailure{Reason: v1alpha1.ReasonCreateFailed, Message: "down", Transient: true}
	noAnswer := plan.CreateFailure{Transient: true}
	taken := func(message string) plan.CreateFailure {
		return plan.CreateFailure{Reason: v1alpha1.ReasonNameConflict, Message: message}
	}
	invalid := func(message string) plan.CreateFailure {
		return plan.CreateFailure{Reason: v1alpha1.ReasonInvalidJobTemplate, Message: message}
	}
	const forgotten = 2 * plan.RetryAfter
	type step struct {
		run     string
		after   time.Duration
		failure plan.CreateFailure
		want    string
	}
	for name, steps := range map[string][]step{
		"other words for the same": {
			{"a", 0, refused("request 1"), "CreateFailed: request 1"},
			{"a", time.Second, refused("request 2"), "CreateFailed: request 1"},
			{"b", time.Second, refused("request 3"), "CreateFailed: request 3"},
			{"a", plan.RetryAfter - 1, refused("request 5"), "CreateFailed: request 1"},
			{"a", plan.RetryAfter, refused("request 6"), "CreateFailed: request 6"},
			{"a", 0, refused("the clock was set back"), "CreateFailed: the clock was set back"},
		},
		"a name that is taken, and a server that is not always there": {
			{"a", 0, down, "CreateFailed: down"},
			{"a", time.Second, taken("by x"), "NameConflict: by x"},
			{"a", 2 * time.Second, down, "NameConflict: by x"},
			{"a", 3 * time.Second, noAnswer, "NameConflict: by x"},
			{"a", plan.RetryAfter + time.Second, down, "NameConflict: by x"},
			{"a", plan.RetryAfter + time.Second, taken("by y"), "NameConflict: by y"},
			{"a", plan.RetryAfter + 2*time.Second, refused("over quota"), "CreateFailed: over quota"},
			{"a", plan.RetryAfter + 3*time.Second, noAnswer, "CreateFailed: over quota"},
		},
		"another mistake in the JobTemplate": {
			{"a", 0, invalid("no image"), "InvalidJobTemplate: no image"},
			{"a", time.Second, invalid("no name"), "InvalidJobTemplate: no name"},
			{"a", 2 * time.Second, down, "InvalidJobTemplate: no name"},
		},
		"a server that stays down": {
			{"a", 0, taken("by x"), "NameConflict: by x"},
			{"a", forgotten, down, "CreateFailed: down"},
		},
		"nothing known": {
			{"a", 0, noAnswer, ": "},
			{"a", time.Second, taken("by x"), "NameConflict: by x"},
			{"a", time.Second + forgotten, noAnswer, ": "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var failures plan.CreateFailures
			for i, step := range steps {
				reason, message := failures.Record(step.run, step.failure, now.Add(step.after))
				if got := reason + ": " + message; got != step.want {
					t.Errorf("step %d, after %s: got %q, want %q", i, step.after, got, step.want)
				}
			}
		})
	}
}

// failure is one creation that failed, so long before now.
type failure struct {
	run, reason string
	before      time.Duration
}

func TestWhichCreationIsTriedFirst(t *testing.T) {
	const refused, taken = v1alpha1.ReasonCreateFailed, v1alpha1.ReasonNameConflict
	for name, c := range map[string]struct {
		failures  []failure
		forgotten bool // by an operator that has just started
		want      string
	}{
		"none failed":             {want: "a b c"},
		"one that was refused":    {failures: []failure{{"b", refused, 0}}, want: "b a c"},
		"it has had its turn":     {failures: []failure{{"b", refused, plan.RetryAfter}}, want: "a c b"},
		"nothing prolongs a turn": {failures: []failure{{"b", refused, plan.RetryAfter}, {"b", refused, 1}}, want: "a c b"},
		"it is the turn of the next that is refused": {
			failures: []failure{{"b", refused, plan.RetryAfter}, {"b", refused, 1}, {"a", refused, 0}},
			want:     "a c b",
		},
		"of two that had their turn, the one first that waits longer": {
			failures: []failure{{"b", refused, 2 * plan.RetryAfter}, {"a", refused, plan.RetryAfter}},
			want:     "c b a",
		},
		"of all": {
			failures: []failure{{"b", refused, 3 * plan.RetryAfter}, {"a", refused, 2 * plan.RetryAfter}, {"c", refused, plan.RetryAfter}},
			want:     "b a c",
		},
		"a name that is taken has no turn": {failures: []failure{{"b", taken, 0}}, want: "a c b"},
		"names that are taken do not come before those that were refused earlier": {
			failures: []failure{{"b", refused, 3 * plan.RetryAfter}, {"c", refused, 2 * plan.RetryAfter}, {"a", taken, plan.RetryAfter}},
			want:     "b c a",
		},
		"failures that only status knows": {failures: []failure{{"b", refused, 0}, {"a", taken, 0}}, forgotten: true, want: "c a b"},
	} {
		var recorded []runBuilder
		observed := seen()
		for _, run := range []string{"a", "b", "c"} {
			for _, f := range c.failures {
				if f.run == run {
					recorded = append(recorded, runBuilder{v1alpha1.RunStatus{Name: run, Phase: v1alpha1.PhaseWaiting, Reason: f.reason}})
					break
				}
			}
		}
		for _, f := range c.failures {
			if !c.forgotten {
				observed.CreateFailures.Record(f.run, plan.CreateFailure{Reason: f.reason, Message: "no"}, now.Add(-f.before))
			}
		}
		check := func(p plan.Plan) func(t *testing.T) {
			return func(t *testing.T) {
				if got := creations(p); got != c.want {
					t.Errorf("in this order: %s; want %s", got, c.want)
				}
			}
		}
		t.Run(name+": steps", check(planFlow(t, newFlow("a", "b", "c").recorded(recorded...), observed)))
		t.Run(name+": nodes", check(planDaemon(t, newDaemon().recorded(recorded...), observed.on("a", "b", "c"))))
	}
}

// creations are the steps or nodes whose Jobs a plan creates, in order.
func creations(p plan.Plan) string {
	var names []string
	for _, creation := range p.Create {
		names = append(names, p.Runs[creation.Run].Name)
	}
	return strings.Join(names, " ")
}

// Of many that are refused each finds out less that is new.
func TestLengthOfTurns(t *testing.T) {
	for refused, want := range map[int]time.Duration{1: plan.RetryAfter, 10: plan.RetryAfter, 30: 30 * time.Second, 1000: 2 * time.Minute} {
		steps, recorded := []string{"fresh"}, []runBuilder{}
		for i := range refused {
			steps = append(steps, strconv.Itoa(i))
			recorded = append(recorded, run(strconv.Itoa(i)).because(v1alpha1.ReasonCreateFailed))
		}
		first := func(since time.Duration) string {
			observed := seen()
			for i := range refused {
				observed.CreateFailures.Record(strconv.Itoa(i), plan.CreateFailure{Reason: v1alpha1.ReasonCreateFailed}, now.Add(-since))
			}
			first, _, _ := strings.Cut(creations(planFlow(t, newFlow(steps...).recorded(recorded...), observed)), " ")
			return first
		}
		if first(want-1) != "0" || first(want) != "fresh" {
			t.Errorf("with %d that are refused a turn does not take %s", refused, want)
		}
	}
}

func TestHowManyJobsAreCreatedAtOnce(t *testing.T) {
	const refused, taken = v1alpha1.ReasonCreateFailed, v1alpha1.ReasonNameConflict
	for name, c := range map[string]struct {
		recorded []runBuilder
		failures []failure
		want     int
	}{
		"one, if there is no Job yet":                 {want: 1},
		"many, if there is one":                       {recorded: []runBuilder{run("a").running()}, want: plan.MaxBatch},
		"one, if one was refused":                     {recorded: []runBuilder{run("a").running()}, failures: []failure{{"b", refused, 2*plan.RetryAfter - 1}}, want: 1},
		"many, if that is long ago":                   {recorded: []runBuilder{run("a").running()}, failures: []failure{{"b", refused, 2 * plan.RetryAfter}}, want: plan.MaxBatch},
		"many, if the clock was set back since":       {recorded: []runBuilder{run("a").running()}, failures: []failure{{"b", refused, -time.Minute}}, want: plan.MaxBatch},
		"many, if a name is taken: others are not so": {recorded: []runBuilder{run("a").running()}, failures: []failure{{"b", taken, 0}}, want: plan.MaxBatch},
	} {
		t.Run(name, func(t *testing.T) {
			observed := seen(job("a"))
			if c.recorded == nil {
				observed = seen()
			}
			for _, f := range c.failures {
				observed.CreateFailures.Record(f.run, plan.CreateFailure{Reason: f.reason, Message: "no"}, now.Add(-f.before))
			}
			p := planFlow(t, newFlow("a", "b").recorded(c.recorded...), observed)
			if got := p.FirstBatch(now); got != c.want {
				t.Errorf("%d; want %d", got, c.want)
			}
		})
	}
}

func TestWhatStatusShowsOfACreationThatWasNotTried(t *testing.T) {
	const refused, taken, template = v1alpha1.ReasonCreateFailed, v1alpha1.ReasonNameConflict, v1alpha1.ReasonInvalidJobTemplate
	const another = "a Waiting CreateFailed: not tried, because the API server did not accept Job p-b"
	for name, c := range map[string]struct {
		recorded []runBuilder
		failures []failure
		want     string
	}{
		"that another was refused":          {want: another},
		"not that yet another was before":   {recorded: []runBuilder{run("a").because(refused)}, want: another},
		"its own refusal":                   {recorded: []runBuilder{run("a").because(refused)}, failures: []failure{{"a", refused, time.Hour}}, want: "a Waiting CreateFailed: no"},
		"that its name is taken":            {recorded: []runBuilder{run("a").because(taken)}, failures: []failure{{"a", taken, time.Hour}}, want: "a Waiting NameConflict: no"},
		"not what is no longer in status":   {recorded: []runBuilder{run("a").because(v1alpha1.ReasonSuspended)}, failures: []failure{{"a", taken, 0}}, want: another},
		"not that of an edited JobTemplate": {recorded: []runBuilder{run("a").because(template)}, failures: []failure{{"a", template, 0}}, want: another},
	} {
		t.Run(name, func(t *testing.T) {
			observed := seen()
			for _, f := range c.failures {
				observed.CreateFailures.Record(f.run, plan.CreateFailure{Reason: f.reason, Message: "no"}, now.Add(-f.before))
			}
			p := planFlow(t, newFlow("a").recorded(c.recorded...), observed)
			p.RecordNotTried(0, "p-b")
			if got := inWords(&p.Runs[0]); got != c.want {
				t.Errorf("%q; want %q", got, c.want)
			}
		})
	}
}
