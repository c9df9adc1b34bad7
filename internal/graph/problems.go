package graph

import "slices"

// Kind is what is wrong.
type Kind int

const (
	// Duplicate is a step name that an earlier step has, or a dependency that the
	// step names twice.
	Duplicate Kind = iota + 1
	// Unknown is a dependency that no step has the name of.
	Unknown
	// Cycle is a chain of dependencies that comes back to where it started. A step
	// that depends on itself is a cycle of one.
	Cycle
)

// Problem says what is wrong with one step or dependency.
type Problem struct {
	Kind Kind
	// Step is the index of the step that has the problem; of a cycle, the step of
	// it that stands first in the list.
	Step int
	// Dependency is an index into the step's dependencies, or -1 when the problem
	// is the step's own name.
	Dependency int
	// Name is the duplicate or unknown name.
	Name string
	// Nearest is the name of another step that an unknown name may have meant, or
	// empty.
	Nearest string
	// Cycle names the steps of a cycle, each of which depends on the next; the
	// first is repeated at the end.
	Cycle []string
}

// findCycles returns every self-dependency, and one cycle for each knot of steps
// that depend on one another: the shortest through the knot's first step. To name
// every cycle of a knot could take for ever, since there can be 2^n of them.
func findCycles(steps []Step, dependencies [][]int) []Problem {
	var problems []Problem
	report := func(cycle []int) {
		names := make([]string, 0, len(cycle)+1)
		for _, i := range cycle {
			names = append(names, steps[i].Name)
		}
		names = append(names, steps[cycle[0]].Name)
		step := cycle[0]
		problems = append(problems, Problem{
			Kind: Cycle, Step: step,
			Dependency: slices.Index(steps[step].Dependencies, names[1]),
			Cycle:      names,
		})
	}

	for i, ds := range dependencies {
		if slices.Contains(ds, i) {
			report([]int{i})
		}
	}
	knots := knots(dependencies)
	for _, knot := range knots.members {
		report(shortestCycle(knot[0], dependencies, knots.of))
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Step - b.Step })
	return problems
}

type knotSet struct {
	// members has the steps of each strongly connected component of more than one,
	// in the order of the list.
	members [][]int
	// of is the component that each step is in.
	of []int
}

// knots is Tarjan's algorithm.
func knots(dependencies [][]int) knotSet {
	n := len(dependencies)
	set := knotSet{of: make([]int, n)}
	var (
		number  = make([]int, n) // in order of discovery, from 1
		low     = make([]int, n) // the earliest step of the stack that can be reached
		onStack = make([]bool, n)
		stack   []int
		found   int
		count   int
	)
	var visit func(i int)
	visit = func(i int) {
		found++
		number[i], low[i] = found, found
		stack, onStack[i] = append(stack, i), true
		for _, d := range dependencies[i] {
			if number[d] == 0 {
				visit(d)
				low[i] = min(low[i], low[d])
			} else if onStack[d] {
				low[i] = min(low[i], number[d])
			}
		}
		if low[i] != number[i] {
			return
		}
		// From the top: below it may be all the steps that wait for this one.
		start := len(stack) - 1
		for stack[start] != i {
			start--
		}
		component := slices.Clone(stack[start:])
		stack = stack[:start]
		for _, member := range component {
			onStack[member] = false
			set.of[member] = count
		}
		count++
		if len(component) > 1 {
			slices.Sort(component)
			set.members = append(set.members, component)
		}
	}
	for i := range dependencies {
		if number[i] == 0 {
			visit(i)
		}
	}
	return set
}

// shortestCycle searches, breadth first and inside its knot, the way from start
// back to start.
func shortestCycle(start int, dependencies [][]int, knotOf []int) []int {
	reachedFrom := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, d := range dependencies[i] {
			if d == start && i != start {
				return walkBack(start, i, reachedFrom)
			}
			if _, reached := reachedFrom[d]; reached || d == start || knotOf[d] != knotOf[start] {
				continue
			}
			reachedFrom[d] = i
			queue = append(queue, d)
		}
	}
	return []int{start}
}

func walkBack(start, end int, reachedFrom map[int]int) []int {
	var path []int
	for i := end; i != start; i = reachedFrom[i] {
		path = append(path, i)
	}
	path = append(path, start)
	slices.Reverse(path)
	return path
}
