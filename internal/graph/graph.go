// Package graph orders named steps by their dependencies. It knows nothing of
// Kubernetes and has no state besides the graph itself.
package graph

// Step is one node of a graph, by name, with the names of the steps that must
// come before it.
type Step struct {
	Name         string
	Dependencies []string
}

// Graph is a checked graph without cycles. Steps are known by their index in the
// list that it was made from.
type Graph struct {
	dependencies [][]int
	order        []int
}

// New checks the steps and builds their graph. When there are problems all of
// them are returned (of the dependencies that are wrong, the first thousand), and
// no graph.
func New(steps []Step) (*Graph, []Problem) {
	index, problems := indexNames(steps)
	dependencies, more := resolve(steps, index)
	problems = append(problems, more...)

	order := topological(dependencies)
	if len(order) < len(steps) {
		problems = append(problems, findCycles(steps, dependencies)...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return &Graph{dependencies: dependencies, order: order}, nil
}

// Len is the number of steps.
func (g *Graph) Len() int { return len(g.dependencies) }

// Dependencies are the steps that step i depends on directly, in the order in
// which it names them. The caller must not change them.
func (g *Graph) Dependencies(i int) []int { return g.dependencies[i] }

// Order has every step after all that it depends on. Steps that could stand in
// either order keep that of the list. The caller must not change it.
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

// mostProblems bounds how many dependencies are reported: a request of a few
// megabytes can hold half a million, and nobody reads them.
const mostProblems = 1000

// resolve turns the names of dependencies into indices, leaving out those that
// are no use: unknown names and repetitions.
func resolve(steps []Step, index map[string]int) ([][]int, []Problem) {
	var problems []Problem
	search := NewSearch(func() []string { return names(steps) })
	dependencies := make([][]int, len(steps))
	// seenBy[d] is the last step that named d, plus one: a set that need not be
	// emptied between steps.
	seenBy := make([]int, len(steps))
	for i, step := range steps {
		for j, name := range step.Dependencies {
			d, known := index[name]
			switch {
			case (!known || seenBy[d] == i+1) && len(problems) >= mostProblems:
			case !known:
				nearest := search.Nearest(name)
				if nearest == step.Name {
					nearest = "" // what depends on itself would be a cycle
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

// topological is Kahn's algorithm, always taking the free step that stands first
// in the list. What is missing from the result is on a cycle or depends on one.
func topological(dependencies [][]int) []int {
	open := make([]int, len(dependencies))
	dependents := make([][]int, len(dependencies))
	for i, ds := range dependencies {
		open[i] = len(ds)
		for _, d := range ds {
			dependents[d] = append(dependents[d], i)
		}
	}
	var free indexHeap
	for i, n := range open {
		if n == 0 {
			free.push(i)
		}
	}
	order := make([]int, 0, len(dependencies))
	for len(free) > 0 {
		i := free.pop()
		order = append(order, i)
		for _, next := range dependents[i] {
			if open[next]--; open[next] == 0 {
				free.push(next)
			}
		}
	}
	return order
}
