package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/cgroup"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
)

// KillNode ends a node like a power cut: its kubelet, its containerd and all its containers at
// once, without notice. What was in memory is gone (/run, mounts, cgroups), what was on its disk
// stays. "up" switches it on again.
func (c *Cluster) KillNode(ctx context.Context, name string) error {
	state, unlock, err := c.existing(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if state.Mode != Real {
		return errors.New("the nodes are simulated; nothing runs on them that could be killed")
	}
	named, err := state.nodeNamed(name)
	if err != nil {
		return err
	}
	n := c.node(named)
	// The kubelet first: it would report what happens to the others.
	for _, daemon := range []string{n.KubeletName(), n.ContainerdName()} {
		if err := c.procs.Kill(daemon); err != nil && !errors.Is(err, process.ErrNotRunning) {
			return err
		}
	}
	if err := c.endContainers(ctx, n.Cgroup(), n.RunDir); err != nil {
		return err
	}
	if err := unmountBelow(n.Dir, n.RunDir); err != nil {
		return err
	}
	if err := errors.Join(cgroup.Remove(n.Cgroup()), os.RemoveAll(n.RunDir)); err != nil {
		return err
	}
	c.say.Say("killed node %s", name)
	return nil
}

// nodeNamed finds a node of the cluster.
func (s State) nodeNamed(name string) (Node, error) {
	i := slices.IndexFunc(s.Nodes, func(n Node) bool { return n.Name == name })
	if i < 0 {
		return Node{}, fmt.Errorf("no node %q; there are: %s", name, strings.Join(s.Names(), ", "))
	}
	return s.Nodes[i], nil
}
