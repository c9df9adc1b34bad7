package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/paths"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

// UpOptions describe the wanted cluster.
type UpOptions struct {
	// Mode Auto keeps that of an existing cluster.
	Mode Mode
	// Nodes nil keeps those of an existing cluster.
	Nodes []string
	// SyncEtcd makes etcd wait for the disk.
	SyncEtcd bool
	// AuditPolicy is the text of an audit policy; without one nothing is audited.
	AuditPolicy string
}

// Up starts, repairs or recreates the cluster, so that it matches the options.
func (c *Cluster) Up(ctx context.Context, o UpOptions) error {
	source, err := paths.Source()
	if err != nil {
		return err
	}
	c.tools = toolchain.New(source, c.cache, c.say)
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := c.State()
	if err != nil {
		return fmt.Errorf("%w; \"devcluster down\" clears it away", err)
	}
	mode, err := c.chooseMode(o.Mode, old)
	if err != nil {
		return err
	}
	want, err := c.wanted(mode, o)
	if err != nil {
		return err
	}
	if old != nil {
		if why := recreateReason(*old, *want); why != "" {
			c.say.Say("recreating the cluster: %s", why)
			if err := c.down(ctx, old); err != nil {
				return err
			}
			old = nil
		}
	}
	if old != nil {
		want.APIPort, want.EtcdPort, want.PeerPort, want.Nodes = old.APIPort, old.EtcdPort, old.PeerPort, old.Nodes
		want.Removing = old.Removing
		want.Tunables, want.MadeDirs = old.Tunables, old.MadeDirs
	}
	names := o.Nodes
	switch {
	case names == nil && old != nil:
		names = old.Names()
	case names == nil:
		names = numberedNodes(DefaultNodes)
	}
	want.setNodes(names)
	if old != nil {
		c.sayNodeChanges(old.Names(), names)
	}
	if mode == Real {
		return c.upReal(ctx, want)
	}
	return c.upSimulated(ctx, want)
}

func (c *Cluster) chooseMode(asked Mode, old *State) (Mode, error) {
	whyNot := realImpossible()
	switch {
	case asked == Simulated:
		return Simulated, nil
	case asked == Real && whyNot != "":
		return "", fmt.Errorf("real nodes cannot be had: %s", whyNot)
	case asked == Real:
		return Real, nil
	case old != nil:
		if old.Mode == Real && whyNot != "" {
			return "", fmt.Errorf("cluster %s has real nodes, which cannot be managed now: %s", c.name, whyNot)
		}
		c.say.Say("cluster %s exists, with %s nodes", c.name, old.Mode)
		return old.Mode, nil
	case whyNot != "":
		c.say.Say("real nodes cannot be had here: %s; simulating them instead", whyNot)
		return Simulated, nil
	}
	return Real, nil
}

func (c *Cluster) wanted(mode Mode, o UpOptions) (*State, error) {
	kubernetes, err := c.tools.Version(toolchain.APIServer)
	if err != nil {
		return nil, err
	}
	etcd, err := c.tools.Version(toolchain.Etcd)
	if err != nil {
		return nil, err
	}
	want := &State{Mode: mode, Kubernetes: kubernetes, Etcd: etcd, SyncEtcd: o.SyncEtcd, AuditPolicy: o.AuditPolicy}
	if mode == Real && len(o.Nodes) > maxReal {
		return nil, fmt.Errorf("%d real nodes are too many for one machine; the limit is %d, or use --simulated", len(o.Nodes), maxReal)
	}
	return want, nil
}

// recreateReason returns why a cluster cannot be changed into the wanted one, or "".
func recreateReason(old, want State) string {
	switch {
	case old.Mode != want.Mode:
		return fmt.Sprintf("its nodes are %s, and %s ones are asked for", old.Mode, want.Mode)
	case old.Kubernetes != want.Kubernetes:
		return fmt.Sprintf("it runs Kubernetes %s, this is %s", old.Kubernetes, want.Kubernetes)
	case old.Etcd != want.Etcd:
		return fmt.Sprintf("it runs etcd %s, this is %s", old.Etcd, want.Etcd)
	}
	return ""
}

func (c *Cluster) sayNodeChanges(old, now []string) {
	for verb, pair := range map[string][2][]string{"adding": {now, old}, "removing": {old, now}} {
		var names []string
		for _, n := range pair[0] {
			if !slices.Contains(pair[1], n) {
				names = append(names, n)
			}
		}
		switch {
		case len(names) > 10:
			c.say.Say("%s %d nodes", verb, len(names))
		case len(names) > 0:
			c.say.Say("%s nodes: %s", verb, strings.Join(names, ", "))
		}
	}
}
