package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestGraphs(t *testing.T) {
	flow := func(uid types.UID, dependency string) *v1alpha1.JobFlow {
		f := flowAt(uid, "1")
		f.Spec.Flows = []v1alpha1.FlowStep{{Name: "a"}, {Name: "b", Dependencies: []string{dependency}}}
		return f
	}
	g := newGraphs()
	first, problems := g.of(flow("u", "a"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if again, _ := g.of(flow("u", "a")); again != first {
		t.Error("built again")
	}
	if another, _ := g.of(flow("v", "a")); another == first {
		t.Error("another flow of the name has the same graph")
	}
	if _, problems := g.of(flow("w", "c")); len(problems) != 1 {
		t.Errorf("problems: %v", problems)
	}
	g.forget(client.ObjectKeyFromObject(flow("v", "a")))
	if len(g.known) != 0 {
		t.Error("something is left")
	}
}
