package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/addons"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/netns"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/node"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/packages"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

const maxReal = node.Max

// The daemons of real clusters besides the control plane's and the nodes'.
const (
	proxyName     = "kube-proxy"
	forwarderName = "forwarder"
)

// apiPort is the API server's inside the namespace, where all ports are free.
const apiPort = 6443

func realImpossible() string {
	if os.Geteuid() != 0 {
		return "this is not root"
	}
	return ""
}

// runDir holds sockets and other things that do not outlive a boot.
func (c *Cluster) runDir() string { return filepath.Join("/run/jobflow-devcluster", c.id()) }

func (c *Cluster) namespace() netns.Namespace {
	return netns.Namespace{File: filepath.Join(c.runDir(), "netns")}
}

func (c *Cluster) node(n Node) node.Node {
	short := fmt.Sprintf("n%d", n.Index)
	return node.Node{
		Cluster: c.id(),
		Name:    n.Name,
		Index:   n.Index,
		Dir:     filepath.Join(c.dir, "nodes", short),
		RunDir:  filepath.Join(c.runDir(), short),
		Netns:   c.namespace().File,
	}
}

func (c *Cluster) nodes(s *State) []node.Node {
	var nodes []node.Node
	for _, n := range s.Nodes {
		nodes = append(nodes, c.node(n))
	}
	return nodes
}

// upReal brings up real nodes.
func (c *Cluster) upReal(ctx context.Context, state *State) error {
	if err := c.checkPaths(); err != nil {
		return err
	}
	if err := packages.Ensure(ctx, c.say); err != nil {
		return err
	}
	if err := os.Setenv("PATH", packages.Path()); err != nil {
		return err
	}
	programs, err := c.tools.Ensure(ctx,
		toolchain.Etcd, toolchain.APIServer, toolchain.ControllerManager, toolchain.Scheduler,
		toolchain.Kubelet, toolchain.Proxy, toolchain.Kubectl, toolchain.CoreDNS, toolchain.Pause)
	if err != nil {
		return err
	}
	images, err := c.images(programs)
	if err != nil {
		return err
	}
	if state.APIPort == 0 {
		if state.APIPort, err = freePort(apiPort); err != nil {
			return err
		}
		state.EtcdPort, state.PeerPort = 2379, 2380
	}
	if state.Tunables == nil {
		state.Tunables, state.MadeDirs = readTunables(), absentDirs()
	}
	// Saved before anything is started: what is started can then be found.
	if err := state.save(c.dir); err != nil {
		return err
	}
	if err := allowWatches(); err != nil {
		return err
	}
	if err := c.network(ctx, state); err != nil {
		return err
	}
	for _, n := range state.Removing {
		if err := c.removeNode(ctx, c.node(n)); err != nil {
			return err
		}
	}
	config := controlplane.Config{
		Dir: c.dir, Programs: programs, Netns: c.namespace().File,
		Address: node.Gateway, Advertised: true,
		APIPort: apiPort, EtcdPort: state.EtcdPort, PeerPort: state.PeerPort,
		ExternalURL: fmt.Sprintf("https://127.0.0.1:%d", state.APIPort),
		SyncEtcd:    state.SyncEtcd,
		AuditPolicy: state.AuditPolicy,
	}
	if err := config.EnsureCredentials(); err != nil {
		return err
	}
	forwarder, err := c.forwarder(state.APIPort)
	if err != nil {
		return err
	}
	// The nodes' container runtimes get their images while the control plane
	// comes up.
	group, groupCtx := errgroup.WithContext(ctx)
	for _, n := range c.nodes(state) {
		group.Go(func() error { return c.runtime(groupCtx, n, images) })
	}
	client, err := c.controlPlane(ctx, config, forwarder)
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	if err := c.forgetRemoved(ctx, client, state); err != nil {
		return err
	}
	if err := c.proxy(config, state); err != nil {
		return err
	}
	var kubelets, fresh []string
	begin := time.Now()
	for _, n := range c.nodes(state) {
		before := madeDeviceSocket()
		started, err := c.kubelet(config, n)
		if err != nil {
			return err
		}
		if started {
			if err := c.awaitDeviceSocket(ctx, n.KubeletName(), before); err != nil {
				return err
			}
			fresh = append(fresh, n.Name)
		}
		kubelets = append(kubelets, n.KubeletName())
	}
	dns, err := addons.CoreDNSManifest(images[corednsImage].Image, controlplane.ClusterDomain)
	if err != nil {
		return err
	}
	if err := c.kubectlApply(ctx, config, dns); err != nil {
		return err
	}
	if err := c.awaitHeartbeats(ctx, client, fresh, begin, kubelets); err != nil {
		return err
	}
	if err := c.awaitNodes(ctx, client, state.Names(), 3*time.Minute, kubelets); err != nil {
		return err
	}
	return c.awaitDNS(ctx, client, append(kubelets, proxyName))
}

// checkPaths refuses a state directory in which the kubelet's sockets would have
// names longer than the kernel takes.
func (c *Cluster) checkPaths() error {
	longest := filepath.Join(c.node(Node{Index: maxReal}).Dir, "kubelet", "pod-resources", "kubelet.sock")
	const limit = 107
	if len(longest) > limit {
		return fmt.Errorf("the state directory %s is too deep: a socket in it would have a name of %d characters, and %d is the limit; set DEVCLUSTER_STATE to a shorter path", c.dir, len(longest), limit)
	}
	return nil
}

// network makes the cluster's network namespace and what is in it.
func (c *Cluster) network(ctx context.Context, state *State) error {
	ns := c.namespace()
	if !ns.Exists() {
		// After a reboot, or if it was removed: daemons that still run
		// are in a namespace that no other process can enter, and addresses
		// that pods held in it are free.
		names, err := c.procs.Names()
		if err != nil {
			return err
		}
		if err := c.stopAll(names); err != nil {
			return err
		}
		for _, n := range c.nodes(state) {
			if err := os.RemoveAll(filepath.Join(n.Dir, "cni-addresses")); err != nil {
				return err
			}
		}
		c.say.Say("making the network namespace %s", ns.File)
	}
	if err := ns.Ensure(); err != nil {
		return err
	}
	network := netns.Network{Bridge: "devcluster0", Gateway: node.Gateway, PrefixLength: node.PrefixLength}
	for _, n := range c.nodes(state) {
		network.NodeIPs = append(network.NodeIPs, n.IP())
	}
	return ns.Configure(ctx, network)
}
