package memory

import (
	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
)

// Graph returns the graph of a flow's steps, or what is wrong with them. It is built once:
// spec.flows is immutable, and building the graph of 1,000 steps takes longer than planning
// from it.
func (m *Memory) Graph(flow *v1alpha1.JobFlow) (*graph.Graph, []graph.Problem) {
	m.mu.Lock()
	known := m.entry(flow).graph
	m.mu.Unlock()
	if known != nil {
		return known, nil
	}
	steps := make([]graph.Step, len(flow.Spec.Flows))
	for i := range flow.Spec.Flows {
		steps[i] = graph.Step{Name: flow.Spec.Flows[i].Name, Dependencies: flow.Spec.Flows[i].Dependencies}
	}
	built, problems := graph.New(steps)
	if len(problems) > 0 {
		return nil, problems
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entry(flow).graph = built
	return built, nil
}
