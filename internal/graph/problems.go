package graph

import "slices"

// Kind is a kind of problem.
type Kind int

const (
	// Duplicate is the name of an earlier step, or a dependency that the step names
	// twice.
	Duplicate Kind = iota + 1
	// Unknown is a dependency whose name no step has.
	Unknown
	// Cycle is a chain of dependencies that leads back to its start. A step that depends
	// on itself is a cycle of one.
	Cycle
)

// Problem is an error of one step or dependency.
type Problem struct {
	Kind Kind
	// Step is the index of the step that has the problem; for a cycle, the step of it
	// that comes first in the list.
	Step int
	// Dependency is an index into the step's dependencies, or -1 when the problem
	// is the step's own name.
	Dependency int
	// Name is the duplicate or unknown name.
	Name string
	// Nearest is the name of another step that may have been meant by an unknown name,
	// or empty.
	Nearest string
	// Cycle names the steps of a cycle, each of which depends on the next. The first is
	// repeated at the end.
	Cycle []string
}

// findCycles returns every self-dependency, and one cycle for each strongly connected
// component: the shortest through the component's first step. Naming every cycle is not
// feasible, since there can be 2^n of them.
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
	components := findComponents(dependencies)
	for _, members := range components.members {
		report(shortestCycle(members[0], dependencies, components.byStep))
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Step - b.Step })
	return problems
}

type componentSet struct {
	// members has the steps of each strongly connected component of more than one step,
	// in the order of the list.
	members [][]int
	// byStep is the component of each step.
	byStep []int
}

// findComponents is Tarjan's algorithm.
func findComponents(dependencies [][]int) componentSet {
	n := len(dependencies)
	set := componentSet{byStep: make([]int, n)}
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
		// Search from the top: all the steps that depend on this one may be below it.
		start := len(stack) - 1
		for stack[start] != i {
			start--
		}
		component := slices.Clone(stack[start:])
		stack = stack[:start]
		for _, member := range component {
			onStack[member] = false
			set.byStep[member] = count
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

// shortestCycle is a breadth-first search inside the component of start for a path back to
// start.
func shortestCycle(start int, dependencies [][]int, component []int) []int {
	reachedFrom := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, d := range dependencies[i] {
			if d == start && i != start {
				return walkBack(start, i, reachedFrom)
			}
			if _, reached := reachedFrom[d]; reached || d == start || component[d] != component[start] {
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
