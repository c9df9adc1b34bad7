package status_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

func TestTransitionsOfSteps(t *testing.T) {
	second := run("a").running()
	second.JobUID = "second"
	for name, c := range map[string]struct {
		from, to []runBuilder
		want     string
	}{
		"nothing":                            {from: []runBuilder{run("a").running()}, to: []runBuilder{run("a").running()}},
		"its Job was created":                {to: []runBuilder{run("a").running()}, want: "a created"},
		"another Job was created":            {from: []runBuilder{run("a").running()}, to: []runBuilder{second}, want: "a created"},
		"it ended":                           {from: []runBuilder{run("a").running()}, to: []runBuilder{run("a").succeeded()}, want: "a ended"},
		"its Job was created and ended":      {from: []runBuilder{run("a")}, to: []runBuilder{run("a").failed("X", "y")}, want: "a created ended"},
		"it has ended and is still listed":   {from: []runBuilder{run("a").succeeded()}, to: []runBuilder{run("a").succeeded()}},
		"it began to wait":                   {from: []runBuilder{run("a")}, to: []runBuilder{run("a").because(v1alpha1.ReasonDependency, "b")}, want: "a waits"},
		"it waits for another reason":        {from: []runBuilder{run("a").because("X", "y")}, to: []runBuilder{run("a").because("Z", "y")}, want: "a waits"},
		"it waits for the same in new words": {from: []runBuilder{run("a").because("X", "y")}, to: []runBuilder{run("a").because("X", "z")}},
		"it no longer waits for anything":    {from: []runBuilder{run("a").because("X", "y")}, to: []runBuilder{run("a")}},
		"it is skipped":                      {from: []runBuilder{run("a")}, to: []runBuilder{run("a").skipped("X")}, want: "a skipped"},
		"several, in the order of the list": {
			from: []runBuilder{run("a").running(), run("b"), run("c")},
			to:   []runBuilder{run("b").running(), run("c"), run("a").succeeded()},
			want: "b created, a ended",
		},
	} {
		t.Run(name, func(t *testing.T) {
			transition := status.Compare(flowStatus("", "", c.from...), flowStatus("", "", c.to...))
			if diff := cmp.Diff(c.want, changesInWords(transition)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if got, want := transition.CreatedJob(), strings.Contains(c.want, "created"); got != want {
				t.Errorf("a Job was created: %t", got)
			}
		})
	}
}

func changesInWords(transition *status.Transition) string {
	var words []string
	for _, change := range transition.Changed {
		text := change.Name
		for _, kind := range []struct {
			is   bool
			name string
		}{{change.Created, "created"}, {change.Ended, "ended"}, {change.Skipped, "skipped"}, {change.Waits, "waits"}} {
			if kind.is {
				text += " " + kind.name
			}
		}
		words = append(words, text)
	}
	return strings.Join(words, ", ")
}
