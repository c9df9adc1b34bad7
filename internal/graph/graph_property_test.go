package graph

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawAcyclic draws steps that each depend only on earlier ones, and then shuffles them.
func drawAcyclic(t *rapid.T) []Step {
	n := rapid.IntRange(1, 40).Draw(t, "steps")
	steps := make([]Step, n)
	for i := range steps {
		steps[i].Name = fmt.Sprintf("s%d", i)
		for d := range i {
			if rapid.IntRange(0, 4).Draw(t, "edge") == 0 {
				steps[i].Dependencies = append(steps[i].Dependencies, fmt.Sprintf("s%d", d))
			}
		}
	}
	return rapid.Permutation(steps).Draw(t, "list")
}

func TestOrderRespectsEveryDependency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := drawAcyclic(t)
		g, problems := New(steps)
		if len(problems) > 0 {
			t.Fatalf("problems: %+v", problems)
		}
		done := make([]bool, g.Len())
		for _, i := range g.Order() {
			if done[i] {
				t.Fatalf("step %d appears twice in %v", i, g.Order())
			}
			if slices.ContainsFunc(g.Dependencies(i), func(d int) bool { return !done[d] }) {
				t.Fatalf("step %d comes before a dependency in %v", i, g.Order())
			}
			done[i] = true
		}
		if slices.Contains(done, false) {
			t.Fatalf("a step is missing from %v", g.Order())
		}
	})
}

// reaches reports whether step i depends, directly or indirectly, on the step on.
func reaches(g *Graph, i, on int) bool {
	return slices.ContainsFunc(g.Dependencies(i), func(d int) bool { return d == on || reaches(g, d, on) })
}

func TestAnInjectedBackEdgeIsNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := drawAcyclic(t)
		g, _ := New(steps)
		later := rapid.IntRange(0, g.Len()-1).Draw(t, "later")
		upstream := []int{later}
		for i := range g.Len() {
			if reaches(g, i, later) {
				upstream = append(upstream, i)
			}
		}
		last := rapid.SampledFrom(upstream).Draw(t, "last")
		steps[later].Dependencies = append(steps[later].Dependencies, steps[last].Name)

		g, problems := New(steps)
		if g != nil || len(problems) != 1 || problems[0].Kind != Cycle {
			t.Fatalf("got %v, %+v; want one cycle", g, problems)
		}
		cycle := problems[0].Cycle
		if len(cycle) < 2 || cycle[0] != cycle[len(cycle)-1] {
			t.Fatalf("%v does not lead back to its start", cycle)
		}
		byName := map[string]Step{}
		for _, step := range steps {
			byName[step.Name] = step
		}
		for i, name := range cycle[:len(cycle)-1] {
			if !slices.Contains(byName[name].Dependencies, cycle[i+1]) {
				t.Fatalf("in %v, %s does not depend on %s", cycle, name, cycle[i+1])
			}
		}
		first := steps[problems[0].Step]
		if first.Name != cycle[0] || first.Dependencies[problems[0].Dependency] != cycle[1] {
			t.Fatalf("%+v does not point at the first dependency of its cycle", problems[0])
		}
	})
}
