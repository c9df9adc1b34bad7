package controllers

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

func TestRefusals(t *testing.T) {
	passing := errors.New("a server that is down")
	refused := func(message string) outcome { return outcome{reason: v1alpha1.ReasonCreateFailed, message: message} }
	failed := func(message string) outcome {
		return outcome{reason: v1alpha1.ReasonCreateFailed, message: message, err: passing}
	}
	taken := func(message string) outcome { return outcome{reason: v1alpha1.ReasonNameConflict, message: message} }
	invalid := func(message string) outcome {
		return outcome{reason: v1alpha1.ReasonInvalidJobTemplate, message: message}
	}
	type step struct {
		parent, run string
		after       time.Duration
		outcome     outcome
		want        string
	}
	for name, steps := range map[string][]step{
		"other words for the same": {
			{"f", "a", 0, refused("request 1"), "CreateFailed: request 1"},
			{"f", "a", time.Second, refused("request 2"), "CreateFailed: request 1"},
			{"f", "b", time.Second, refused("request 3"), "CreateFailed: request 3"},
			{"g", "a", time.Second, refused("request 4"), "CreateFailed: request 4"},
			{"f", "a", retryAfter - 1, refused("request 5"), "CreateFailed: request 1"},
			{"f", "a", retryAfter, refused("request 6"), "CreateFailed: request 6"},
			{"f", "a", 0, refused("the clock was set back"), "CreateFailed: the clock was set back"},
		},
		"a name that is taken, and a server that is not always there": {
			{"f", "a", 0, failed("down"), "CreateFailed: down"},
			{"f", "a", time.Second, taken("by x"), "NameConflict: by x"},
			{"f", "a", 2 * time.Second, failed("down"), "NameConflict: by x"},
			{"f", "a", 3 * time.Second, outcome{err: passing}, "NameConflict: by x"},
			{"f", "a", retryAfter + time.Second, failed("down"), "NameConflict: by x"},
			{"f", "a", retryAfter + time.Second, taken("by y"), "NameConflict: by y"},
			{"f", "a", retryAfter + 2*time.Second, refused("over quota"), "CreateFailed: over quota"},
			{"f", "a", retryAfter + 3*time.Second, outcome{err: passing}, "CreateFailed: over quota"},
		},
		"another mistake in the JobTemplate": {
			{"f", "a", 0, invalid("no image"), "InvalidJobTemplate: no image"},
			{"f", "a", time.Second, invalid("no name"), "InvalidJobTemplate: no name"},
			{"f", "a", 2 * time.Second, failed("down"), "InvalidJobTemplate: no name"},
		},
		"a server that stays down": {
			{"f", "a", 0, taken("by x"), "NameConflict: by x"},
			{"f", "a", remembered, failed("down"), "CreateFailed: down"},
		},
		"nothing known": {
			{"f", "a", 0, outcome{err: passing}, ": "},
			{"f", "a", time.Second, taken("by x"), "NameConflict: by x"},
			{"f", "a", time.Second + remembered, outcome{err: passing}, ": "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRefusals()
			at := time.Unix(1000, 0)
			for i, step := range steps {
				reason, message := r.steady(types.UID(step.parent), step.run, step.outcome, at.Add(step.after))
				if got := reason + ": " + message; got != step.want {
					t.Errorf("step %d, after %s: got %q, want %q", i, step.after, got, step.want)
				}
			}
			r.steady("h", "a", refused("much later"), at.Add(time.Hour))
			if len(r.byParent) != 1 {
				t.Errorf("remembered: %v", r.byParent)
			}
		})
	}
}

func TestRefusedOfLate(t *testing.T) {
	r := newRefusals()
	at := time.Unix(1000, 0)
	r.steady("f", "a", outcome{reason: v1alpha1.ReasonCreateFailed}, at)
	r.steady("g", "a", outcome{reason: v1alpha1.ReasonNameConflict}, at)
	for after, want := range map[time.Duration]bool{retryAfter: true, retryAfter + time.Second: true, 2 * retryAfter: false, -time.Minute: false} {
		if got := r.any("f", at.Add(after)); got != want {
			t.Errorf("%s after a refusal: %v", after, got)
		}
	}
	if r.any("g", at) || r.any("h", at) {
		t.Error("a parent of which no Job was refused counts as refused")
	}
}

// A Job that is refused is asked for first until it has had its turn; then come those
// that were not refused yet, and of the others the one that has waited longest.
func TestOrderAfterRefusals(t *testing.T) {
	at := time.Unix(1000, 0)
	r := newRefusals()
	refuse := func(run string, after time.Duration) {
		r.steady("f", run, outcome{reason: v1alpha1.ReasonCreateFailed, message: "no"}, at.Add(after))
	}
	runs := []v1alpha1.RunStatus{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	check := func(after time.Duration, want, turn string) {
		t.Helper()
		creations := []plan.Creation{{Run: 0}, {Run: 1}, {Run: 2}}
		r.order("f", runs, creations, at.Add(after))
		got := ""
		for _, c := range creations {
			got += runs[c.Run].Name
		}
		attempts := r.attempts("f", at.Add(after))
		if got != want || attempts.Turn != turn {
			t.Errorf("after %s it is the turn of %q, in all %q; want %q, %q", after, attempts.Turn, got, turn, want)
		}
	}
	check(0, "abc", "")
	refuse("b", 0)
	check(retryAfter-1, "bac", "b")
	refuse("b", retryAfter-1) // which does not make its turn longer
	check(retryAfter, "acb", "")
	refuse("a", retryAfter)
	check(retryAfter, "acb", "a")
	check(2*retryAfter, "cba", "")
	refuse("c", 2*retryAfter)
	check(3*retryAfter, "bac", "")
	refuse("b", 3*retryAfter)
	check(4*retryAfter-1, "bac", "b")
	if r.is("g", "a") || !r.is("f", "a") {
		t.Error("a Job counts as refused that is another parent's, or one that is refused does not")
	}

	// A name that is taken has no turn.
	r.steady("f", "c", outcome{reason: v1alpha1.ReasonNameConflict}, at.Add(4*retryAfter))
	check(4*retryAfter, "cab", "")
	if tried := r.attempts("f", at).At["c"]; !tried.Equal(at.Add(4 * retryAfter)) {
		t.Errorf("tried at %s", tried)
	}
}

// Of many that are refused each finds out less that is new.
func TestLengthOfTurns(t *testing.T) {
	at := time.Unix(1000, 0)
	for refused, want := range map[int]time.Duration{1: retryAfter, 10: retryAfter, 30: 30 * time.Second, 1000: longestTurn} {
		r := newRefusals()
		for i := range refused {
			r.steady("f", strconv.Itoa(i), outcome{reason: v1alpha1.ReasonCreateFailed, message: "no"}, at)
		}
		if r.attempts("f", at.Add(want-1)).Turn != "0" || r.attempts("f", at.Add(want)).Turn != "" {
			t.Errorf("with %d that are refused a turn does not take %s", refused, want)
		}
	}
}
