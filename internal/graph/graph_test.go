package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse reads "a; b: a; c: a b" as three steps with their dependencies.
func parse(text string) []Step {
	var steps []Step
	for line := range strings.SplitSeq(text, ";") {
		name, dependencies, _ := strings.Cut(strings.TrimSpace(line), ":")
		steps = append(steps, Step{Name: name, Dependencies: strings.Fields(dependencies)})
	}
	return steps
}

func TestNewOrder(t *testing.T) {
	tests := map[string]struct {
		steps string
		want  []int
	}{
		"one step":                              {"a", []int{0}},
		"independent steps keep the order":      {"c; a; b", []int{0, 1, 2}},
		"a chain written backwards":             {"c: b; b: a; a", []int{2, 1, 0}},
		"a diamond":                             {"a; b: a; c: a; d: b c", []int{0, 1, 2, 3}},
		"the published example":                 {"job1; job2: job1; job3: job1 job2; job4; job5: job4 job2", []int{0, 1, 2, 3, 4}},
		"a step that is free early comes early": {"z: last; a; b: a; last", []int{1, 2, 3, 0}},
		"an implied dependency":                 {"a; b: a; c: a b", []int{0, 1, 2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g, problems := New(parse(test.steps))
			if len(problems) > 0 {
				t.Fatalf("problems: %+v", problems)
			}
			if diff := cmp.Diff(test.want, g.Order()); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewOfNothing(t *testing.T) {
	g, problems := New(nil)
	if g == nil || g.Len() != 0 || len(problems) > 0 {
		t.Errorf("got %v, %v; want an empty graph", g, problems)
	}
}

func TestNewProblems(t *testing.T) {
	tests := map[string]struct {
		steps string
		want  []Problem
	}{
		"a step twice": {
			"a; b; a",
			[]Problem{{Kind: Duplicate, Step: 2, Dependency: -1, Name: "a"}},
		},
		"a dependency twice": {
			"a; b; c: a b a",
			[]Problem{{Kind: Duplicate, Step: 2, Dependency: 2, Name: "a"}},
		},
		"an unknown dependency": {
			"build; test: biuld",
			[]Problem{{Kind: Unknown, Step: 1, Dependency: 0, Name: "biuld", Nearest: "build"}},
		},
		"an unknown dependency unlike any step": {
			"build; test: deploy",
			[]Problem{{Kind: Unknown, Step: 1, Dependency: 0, Name: "deploy"}},
		},
		"the nearest is the step itself": {
			"build; test: tests",
			[]Problem{{Kind: Unknown, Step: 1, Dependency: 0, Name: "tests"}},
		},
		"upper case": {
			"build; test: Build",
			[]Problem{{Kind: Unknown, Step: 1, Dependency: 0, Name: "Build", Nearest: "build"}},
		},
		"a step that depends on itself": {
			"a; b: a b",
			[]Problem{{Kind: Cycle, Step: 1, Dependency: 1, Cycle: []string{"b", "b"}}},
		},
		"a cycle of three, with steps before and after": {
			"start; a: start b; b: c; c: a; end: c",
			[]Problem{{Kind: Cycle, Step: 1, Dependency: 1, Cycle: []string{"a", "b", "c", "a"}}},
		},
		"the shorter of two cycles": {
			"a: b d; b: c; c: a; d: a",
			[]Problem{{Kind: Cycle, Step: 0, Dependency: 1, Cycle: []string{"a", "d", "a"}}},
		},
		"two cycles, one of which depends on the other": {
			"a: c b; b: a; c: d; d: c",
			[]Problem{
				{Kind: Cycle, Step: 0, Dependency: 1, Cycle: []string{"a", "b", "a"}},
				{Kind: Cycle, Step: 2, Dependency: 0, Cycle: []string{"c", "d", "c"}},
			},
		},
		"a step on a cycle that also depends on itself": {
			"a: a b; b: a",
			[]Problem{
				{Kind: Cycle, Step: 0, Dependency: 0, Cycle: []string{"a", "a"}},
				{Kind: Cycle, Step: 0, Dependency: 1, Cycle: []string{"a", "b", "a"}},
			},
		},
		"everything at once": {
			"a: b; b: a; b; c: nothing",
			[]Problem{
				{Kind: Duplicate, Step: 2, Dependency: -1, Name: "b"},
				{Kind: Unknown, Step: 3, Dependency: 0, Name: "nothing"},
				{Kind: Cycle, Step: 0, Dependency: 0, Cycle: []string{"a", "b", "a"}},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g, problems := New(parse(test.steps))
			if g != nil {
				t.Error("a graph with problems was returned")
			}
			if diff := cmp.Diff(test.want, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"build", "test", "deploy-to-production", "a"}
	tests := map[string]struct{ name, want string }{
		"a letter missing":                   {"buid", "build"},
		"a letter too many":                  {"buildd", "build"},
		"two letters exchanged":              {"tets", "test"},
		"several in a long name":             {"deploi-to-prodction", "deploy-to-production"},
		"upper case":                         {"TEST", "test"},
		"unlike any":                         {"cleanup", ""},
		"one letter is too short to compare": {"b", ""},
		"empty":                              {"", ""},
		"longer than any name":               {strings.Repeat("b", 300), ""},
		"too far in a short name":            {"tart", "test"},
		"nothing of it would be left":        {"xy", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Nearest(test.name, candidates); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// This is the largest flow that the API accepts, with only unknown dependencies. The search
// for the nearest step allocates for each comparison, so allocations show that New searches
// for only a few of nearly a million dependencies.
func TestNewSearchesLittleWhenEverythingIsWrong(t *testing.T) {
	steps := make([]Step, 1000)
	filler := strings.Repeat("x", 50)
	for i := range steps {
		steps[i].Name = fmt.Sprintf("%s-%d", filler, i)
		for j := range 999 {
			steps[i].Dependencies = append(steps[i].Dependencies, fmt.Sprintf("%s-u%d", filler, j))
		}
	}
	var problems []Problem
	allocations := testing.AllocsPerRun(1, func() { _, problems = New(steps) })
	if most := float64(100 * len(steps)); allocations > most {
		t.Errorf("%.0f allocations, want at most %.0f", allocations, most)
	}
	if len(problems) != mostProblems {
		t.Errorf("%d problems, want %d", len(problems), mostProblems)
	}
}
