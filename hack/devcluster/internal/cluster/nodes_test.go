package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseNodes(t *testing.T) {
	for name, tc := range map[string]struct {
		value string
		want  []string
		err   string
	}{
		"one":                      {"1", []string{"minikube"}, ""},
		"the default's number":     {"3", []string{"minikube", "node1", "node2"}, ""},
		"names":                    {"a, b", []string{"a", "b"}, ""},
		"a name with digits":       {"node-7", []string{"node-7"}, ""},
		"none":                     {"0", nil, "from 1 to"},
		"too many":                 {"1000000", nil, "from 1 to"},
		"twice the same":           {"a,b,a", nil, "twice"},
		"an empty name":            {"a,,b", nil, "not a node name"},
		"a name with capitals":     {"Minikube", nil, "not a node name"},
		"a name that is too long":  {strings.Repeat("a", 64), nil, "not a node name"},
		"a name that leaves a dir": {"../x", nil, "not a node name"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseNodes(tc.value)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if (tc.err == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}

func TestNodesKeepTheirNumbers(t *testing.T) {
	var s State
	s.setNodes([]string{"a", "b", "c"})
	if diff := cmp.Diff([]Node{{"a", 0}, {"b", 1}, {"c", 2}}, s.Nodes); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}

	s.setNodes([]string{"c", "d"})
	if diff := cmp.Diff([]Node{{"c", 2}, {"d", 3}}, s.Nodes); diff != "" {
		t.Errorf("one stays, one comes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Node{{"a", 0}, {"b", 1}}, s.Removing); diff != "" {
		t.Errorf("going (-want +got):\n%s", diff)
	}

	// "a" comes back before it was gone, as after a kill.
	s.setNodes([]string{"c", "a"})
	if diff := cmp.Diff([]Node{{"c", 2}, {"a", 4}}, s.Nodes); diff != "" {
		t.Errorf("one comes back (-want +got):\n%s", diff)
	}

	s.Removing = nil
	s.setNodes([]string{"c", "a", "e"})
	if diff := cmp.Diff([]Node{{"c", 2}, {"a", 4}, {"e", 0}}, s.Nodes); diff != "" {
		t.Errorf("numbers of those gone are free (-want +got):\n%s", diff)
	}
}

func TestStateSurvives(t *testing.T) {
	dir := t.TempDir()
	if s, err := loadState(dir); s != nil || err != nil {
		t.Errorf("none: %v, %v", s, err)
	}
	want := State{Mode: Real, Kubernetes: "v1", Nodes: []Node{{"a", 1}}, APIPort: 6443}
	if err := want.save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := loadState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecreateReason(t *testing.T) {
	base := State{Mode: Real, Kubernetes: "v1", Etcd: "v3"}
	for name, tc := range map[string]struct {
		want State
		why  string
	}{
		"the same":           {base, ""},
		"another mode":       {State{Mode: Simulated, Kubernetes: "v1", Etcd: "v3"}, "simulated"},
		"another Kubernetes": {State{Mode: Real, Kubernetes: "v2", Etcd: "v3"}, "Kubernetes v1"},
		"another etcd":       {State{Mode: Real, Kubernetes: "v1", Etcd: "v4"}, "etcd v3"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := recreateReason(base, tc.want); (got == "") != (tc.why == "") || !strings.Contains(got, tc.why) {
				t.Errorf("got %q, want %q", got, tc.why)
			}
		})
	}
}
