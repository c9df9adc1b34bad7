package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
)

// graphs keeps the graphs of the flows that run: spec.flows is immutable, and to build
// the graph of 1,000 steps takes longer than to plan from it.
type graphs struct {
	mu    sync.Mutex
	known map[types.NamespacedName]graphOf
}

type graphOf struct {
	uid   types.UID
	graph *graph.Graph
}

func newGraphs() *graphs { return &graphs{known: map[types.NamespacedName]graphOf{}} }

// of is the graph of a flow's steps, or what is wrong with them.
func (g *graphs) of(flow *v1alpha1.JobFlow) (*graph.Graph, []graph.Problem) {
	key := client.ObjectKeyFromObject(flow)
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, found := g.known[key]; found && known.uid == flow.UID {
		return known.graph, nil
	}
	steps := make([]graph.Step, len(flow.Spec.Flows))
	for i := range flow.Spec.Flows {
		steps[i] = graph.Step{Name: flow.Spec.Flows[i].Name, Dependencies: flow.Spec.Flows[i].Dependencies}
	}
	built, problems := graph.New(steps)
	if len(problems) > 0 {
		return nil, problems
	}
	g.known[key] = graphOf{flow.UID, built}
	return built, nil
}

// forget is for a flow that is gone or has ended.
func (g *graphs) forget(flow types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.known, flow)
}
