package memory

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestGraphs(t *testing.T) {
	flow := func(uid types.UID, dependency string) *v1alpha1.JobFlow {
		f := flowAt(uid, "1")
		f.Spec.Flows = []v1alpha1.FlowStep{{Name: "a"}, {Name: "b", Dependencies: []string{dependency}}}
		return f
	}
	m := New(nil)
	first, problems := m.Graph(flow("u", "a"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if again, _ := m.Graph(flow("u", "a")); again != first {
		t.Error("built again")
	}
	if another, _ := m.Graph(flow("v", "a")); another == first {
		t.Error("another flow of the name has the same graph")
	}
	if _, problems := m.Graph(flow("w", "c")); len(problems) != 1 {
		t.Errorf("problems: %v", problems)
	}
	m.Forget(KeyOf(flow("v", "a")))
	if len(m.entries) != 0 {
		t.Error("something is left")
	}
}
