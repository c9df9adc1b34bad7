package memory

import "testing"

func TestCreateFailuresAreKeptForEachParent(t *testing.T) {
	m, flow, another := New(nil), flowAt("u", "1"), flowAt("v", "1")
	another.Name = "another"
	failures := m.CreateFailures(flow)
	if m.CreateFailures(another) == failures || m.CreateFailures(flow) != failures {
		t.Error("the failures of one parent are another's, or not found again")
	}
	m.Forget(KeyOf(flow))
	if m.CreateFailures(flow) == failures {
		t.Error("those of a parent that is gone are found again")
	}
}
