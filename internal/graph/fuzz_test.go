package graph

import (
	"slices"
	"strings"
	"testing"
)

// For any names and dependencies, the steps are either ordered or refused with problems
// that really exist.
func FuzzNew(f *testing.F) {
	for _, text := range []string{
		"", "a", "a\na", "a a", "a b\nb a", "a b\nb c\nc a\nd a", "a\nb a\nc a\nd b c", "a a a\nb x\n x", "first\nsecond frist",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		steps := stepsOf(text)
		graph, problems := New(steps)
		if (graph == nil) != (len(problems) > 0) {
			t.Fatalf("a graph: %v, with %d problems", graph != nil, len(problems))
		}
		for i := range problems {
			checkProblem(t, steps, &problems[i])
		}
		if graph == nil {
			return
		}
		at := make([]int, len(steps))
		for position, step := range graph.Order() {
			at[step] = position
		}
		if sorted := slices.Sorted(slices.Values(graph.Order())); graph.Len() != len(steps) || len(sorted) != len(steps) || len(slices.Compact(sorted)) != len(steps) {
			t.Fatalf("the order of %d steps is %v", len(steps), graph.Order())
		}
		for i := range steps {
			for k, dependency := range graph.Dependencies(i) {
				if steps[dependency].Name != steps[i].Dependencies[k] || at[dependency] >= at[i] {
					t.Fatalf("step %q comes before its dependency %q", steps[i].Name, steps[dependency].Name)
				}
			}
		}
	})
}

func FuzzNearest(f *testing.F) {
	f.Add("frist", "first\nsecond")
	f.Add("", "\na")
	f.Add("ÄÖ", "äö\nao")
	f.Fuzz(func(t *testing.T, name, candidates string) {
		list := strings.Split(candidates, "\n")
		if got := Nearest(name, list); got != "" && !slices.Contains(list, got) {
			t.Fatalf("the nearest to %q is %q, which is not a candidate", name, got)
		}
	})
}

// stepsOf reads one step from each line: its name, then its dependencies.
func stepsOf(text string) []Step {
	var steps []Step
	for line := range strings.SplitSeq(text, "\n") {
		words := strings.Split(line, " ")
		steps = append(steps, Step{Name: words[0], Dependencies: words[1:]})
	}
	return steps
}

func checkProblem(t *testing.T, steps []Step, p *Problem) {
	t.Helper()
	step := steps[p.Step]
	named := func(name string) bool { return slices.ContainsFunc(steps, func(s Step) bool { return s.Name == name }) }
	switch {
	case p.Kind == Duplicate && p.Dependency < 0:
		if step.Name != p.Name || !slices.ContainsFunc(steps[:p.Step], func(s Step) bool { return s.Name == p.Name }) {
			t.Fatalf("no step before step %d is called %q", p.Step, p.Name)
		}
	case p.Kind == Duplicate:
		if step.Dependencies[p.Dependency] != p.Name || !slices.Contains(step.Dependencies[:p.Dependency], p.Name) {
			t.Fatalf("step %q names %q only once", step.Name, p.Name)
		}
	case p.Kind == Unknown:
		if step.Dependencies[p.Dependency] != p.Name || named(p.Name) {
			t.Fatalf("%q is not unknown", p.Name)
		}
	case p.Kind == Cycle:
		for k := range len(p.Cycle) - 1 {
			if !slices.ContainsFunc(steps, func(s Step) bool {
				return s.Name == p.Cycle[k] && slices.Contains(s.Dependencies, p.Cycle[k+1])
			}) {
				t.Fatalf("in the cycle %q, %q does not depend on %q", p.Cycle, p.Cycle[k], p.Cycle[k+1])
			}
		}
		if len(p.Cycle) < 2 || p.Cycle[0] != p.Cycle[len(p.Cycle)-1] || step.Dependencies[p.Dependency] != p.Cycle[1] {
			t.Fatalf("%q at step %q is not a cycle", p.Cycle, step.Name)
		}
	default:
		t.Fatalf("a problem of kind %d", p.Kind)
	}
}
