// Package graph orders named steps by their dependencies. It is independent of Kubernetes
// and has no state other than the graph itself.
package graph

// Step is one node of a graph, by name, with the names of the steps that must
// come before it.
type Step struct {
	Name         string
	Dependencies []string
}

// Graph is a valid graph without cycles. Steps are identified by their index in the list
// that it was built from.
type Graph struct {
	dependencies [][]int
	order        []int
}

// New checks the steps and builds their graph. If there are problems, it returns no graph
// and all of them, except that it stops at a thousand wrong dependencies.
func New(steps []Step) (*Graph, []Problem) {
	index, problems := indexNames(steps)
	dependencies, more := resolve(steps, index)
	problems = append(problems, more...)

	order := sortTopologically(dependencies)
	if len(order) < len(steps) {
		problems = append(problems, findCycles(steps, dependencies)...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return &Graph{dependencies: dependencies, order: order}, nil
}

// Len returns the number of steps.
func (g *Graph) Len() int { return len(g.dependencies) }

// Dependencies returns the steps that step i depends on directly, in the order in which it
// names them. The caller must not change them.
func (g *Graph) Dependencies(i int) []int { return g.dependencies[i] }

// Order returns every step after all its dependencies. Steps that could come in either
// order keep the order of the list. The caller must not change it.
func (g *Graph) Order() []int { return g.order }

// indexNames maps each name to the first step that has it.
func indexNames(steps []Step) (map[string]int, []Problem) {
	index := make(map[string]int, len(steps))
	var problems []Problem
	for i, step := range steps {
		if _, taken := index[step.Name]; taken {
			problems = append(problems, Problem{Kind: Duplicate, Step: i, Dependency: -1, Name: step.Name})
			continue
		}
		index[step.Name] = i
	}
	return index, problems
}

// mostProblems bounds how many dependencies are reported: a request of a few megabytes can
// contain half a million, more than a user can read.
const mostProblems = 1000

// resolve turns the names of dependencies into indices. It reports unknown and duplicate
// names as problems and leaves them out.
func resolve(steps []Step, index map[string]int) ([][]int, []Problem) {
	var problems []Problem
	search := NewSearch(func() []string { return names(steps) })
	dependencies := make([][]int, len(steps))
	// seenBy[d] is the last step that named d, plus one: a set that need not be cleared
	// between steps.
	seenBy := make([]int, len(steps))
	for i, step := range steps {
		for j, name := range step.Dependencies {
			d, known := index[name]
			switch {
			case (!known || seenBy[d] == i+1) && len(problems) >= mostProblems:
			case !known:
				nearest := search.Nearest(name)
				if nearest == step.Name {
					nearest = "" // depending on itself would be a cycle
				}
				problems = append(problems, Problem{Kind: Unknown, Step: i, Dependency: j, Name: name, Nearest: nearest})
			case seenBy[d] == i+1:
				problems = append(problems, Problem{Kind: Duplicate, Step: i, Dependency: j, Name: name})
			default:
				seenBy[d] = i + 1
				dependencies[i] = append(dependencies[i], d)
			}
		}
	}
	return dependencies, problems
}

func names(steps []Step) []string {
	list := make([]string, len(steps))
	for i := range steps {
		list[i] = steps[i].Name
	}
	return list
}

// sortTopologically is Kahn's algorithm, which here always takes the free step that comes
// first in the list. Steps that are missing from the result are on a cycle or depend on
// one.
func sortTopologically(dependencies [][]int) []int {
	pending := make([]int, len(dependencies))
	dependents := make([][]int, len(dependencies))
	for i, ds := range dependencies {
		pending[i] = len(ds)
		for _, d := range ds {
			dependents[d] = append(dependents[d], i)
		}
	}
	var free indexHeap
	for i, n := range pending {
		if n == 0 {
			free.push(i)
		}
	}
	order := make([]int, 0, len(dependencies))
	for len(free) > 0 {
		i := free.pop()
		order = append(order, i)
		for _, next := range dependents[i] {
			if pending[next]--; pending[next] == 0 {
				free.push(next)
			}
		}
	}
	return order
}
