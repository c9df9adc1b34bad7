package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
)

// Status is the status of a cluster.
type Status struct {
	Mode       Mode
	Kubernetes string
	Etcd       string
	API        string
	Logs       string
	Nodes      []string
	Daemons    []Daemon
	// Trouble is empty if nothing is wrong.
	Trouble string
}

// Daemon is one process of the cluster; PID is 0 when it does not run.
type Daemon struct {
	Name string
	PID  int
}

// Status returns the status of the cluster and changes nothing.
func (c *Cluster) Status(ctx context.Context) (Status, error) {
	state, err := c.State()
	if err != nil {
		return Status{}, err
	}
	if state == nil {
		return Status{}, ErrNoCluster
	}
	url := fmt.Sprintf("https://127.0.0.1:%d", state.APIPort)
	s := Status{
		Mode: state.Mode, Kubernetes: state.Kubernetes, Etcd: state.Etcd,
		API: url, Logs: filepath.Dir(c.procs.LogFile("x")), Nodes: state.Names(),
	}
	recorded, err := c.procs.Names()
	if err != nil {
		return Status{}, err
	}
	names := state.daemons()
	for _, name := range recorded {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var dead []string
	for _, name := range names {
		d := Daemon{Name: name}
		if r, err := c.procs.Find(name); err == nil {
			d.PID = r.PID
		} else {
			dead = append(dead, name)
		}
		s.Daemons = append(s.Daemons, d)
	}
	if len(dead) > 0 {
		s.Trouble = "not running: " + strings.Join(dead, ", ")
		return s, nil
	}
	s.Trouble = c.trouble(ctx, url, state)
	return s, nil
}

// trouble asks the API server for health and nodes.
func (c *Cluster) trouble(ctx context.Context, url string, state *State) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, err := controlplane.Config{Dir: c.dir, ExternalURL: url}.Client()
	if err != nil {
		return err.Error()
	}
	if err := client.Ready(ctx); err != nil {
		return "the API server is not ready: " + err.Error()
	}
	nodes, err := client.Nodes(ctx)
	if err != nil {
		return err.Error()
	}
	ready := map[string]bool{}
	for _, n := range nodes {
		ready[n.Name] = n.Ready
	}
	var not []string
	for _, name := range state.Names() {
		if !ready[name] {
			not = append(not, name)
		}
	}
	if len(not) > 0 {
		return "nodes not ready: " + strings.Join(not, ", ")
	}
	return ""
}

// daemons are the names of what should run.
func (s State) daemons() []string {
	names := []string{controlplane.EtcdName, controlplane.APIServerName, controlplane.ControllerManagerName, controlplane.SchedulerName}
	if s.Mode == Simulated {
		return append(names, kwokName)
	}
	names = append(names, "kube-proxy", "forwarder")
	for _, n := range s.Nodes {
		names = append(names, "containerd-"+n.Name, "kubelet-"+n.Name)
	}
	return names
}
