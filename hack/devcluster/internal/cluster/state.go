package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/files"
)

// Mode is how a cluster's nodes are made.
type Mode string

// The modes.
const (
	Auto      Mode = ""
	Real      Mode = "real"
	Simulated Mode = "simulated"
)

// State is what devcluster stores about a cluster between runs.
type State struct {
	Mode       Mode   `json:"mode"`
	Kubernetes string `json:"kubernetes"`
	Etcd       string `json:"etcd"`
	SyncEtcd   bool   `json:"syncEtcd,omitempty"`
	// AuditPolicy is the API server's audit policy, or empty.
	AuditPolicy string `json:"auditPolicy,omitempty"`
	Nodes       []Node `json:"nodes"`
	// Removing has the nodes that are being removed.
	Removing []Node `json:"removing,omitempty"`
	// APIPort is where the user reaches the API server, on loopback.
	APIPort int `json:"apiPort"`
	// EtcdPort and PeerPort are etcd's, on loopback.
	EtcdPort int `json:"etcdPort"`
	PeerPort int `json:"peerPort"`
	// Tunables are the kernel settings as they were before a kubelet changed
	// them, to be put back.
	Tunables map[string]string `json:"tunables,omitempty"`
	// MadeDirs are directories outside the state directory that were not there
	// before, to be removed.
	MadeDirs []string `json:"madeDirs,omitempty"`
}

// Node is a node's name and its number, which gives its addresses.
type Node struct {
	Name  string `json:"name"`
	Index int    `json:"index"`
}

// Names are the nodes' names.
func (s State) Names() []string {
	names := make([]string, 0, len(s.Nodes))
	for _, n := range s.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// setNodes sets the nodes, keeping the numbers of those that stay. Those that go are
// kept apart until they are gone, and their numbers are not given away before: a
// number stands for addresses, a cgroup and directories.
func (s *State) setNodes(names []string) {
	used := map[int]bool{}
	for _, n := range s.Removing {
		used[n.Index] = true
	}
	kept := map[string]int{}
	for _, n := range s.Nodes {
		used[n.Index] = true
		if slices.Contains(names, n.Name) {
			kept[n.Name] = n.Index
		} else {
			s.Removing = append(s.Removing, n)
		}
	}
	next := 0
	nodes := make([]Node, 0, len(names))
	for _, name := range names {
		index, ok := kept[name]
		if !ok {
			for used[next] {
				next++
			}
			index = next
			used[index] = true
		}
		nodes = append(nodes, Node{Name: name, Index: index})
	}
	s.Nodes = nodes
}

const stateFile = "cluster.json"

// loadState returns nil when there is no cluster.
func loadState(dir string) (*State, error) {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, stateFile), err)
	}
	return &s, nil
}

func (s State) save(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return files.Write(filepath.Join(dir, stateFile), data, 0o644)
}
