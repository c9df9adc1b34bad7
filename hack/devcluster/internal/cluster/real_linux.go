package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/addons"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/apiclient"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/cgroup"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/files"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/netns"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/node"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/packages"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
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
		started, err := c.kubelet(config, n)
		if err != nil {
			return err
		}
		if started {
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

// awaitHeartbeats waits until kubelets that were just started have reported, since
// what the API server knows of their nodes may be from before.
func (c *Cluster) awaitHeartbeats(ctx context.Context, client *apiclient.Client, nodes []string, since time.Time, daemons []string) error {
	return c.await(ctx, "kubelets", 2*time.Minute, daemons, func(ctx context.Context) error {
		registered, err := client.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, name := range nodes {
			i := slices.IndexFunc(registered, func(n apiclient.Node) bool { return n.Name == name })
			if i < 0 {
				return fmt.Errorf("node %s has not registered", name)
			}
			// Timestamps of objects are cut to seconds.
			if !registered[i].Created.Before(since.Truncate(time.Second)) {
				continue
			}
			renewed, err := client.NodeRenewed(ctx, name)
			if err != nil {
				return err
			}
			if renewed.Before(since) {
				return fmt.Errorf("node %s has not reported since %s", name, renewed.Format(time.TimeOnly))
			}
		}
		return nil
	})
}

// awaitDNS waits until cluster DNS answers at its service address, which also shows
// that kube-proxy does its part.
func (c *Cluster) awaitDNS(ctx context.Context, client *apiclient.Client, daemons []string) error {
	return c.await(ctx, "cluster DNS", 3*time.Minute, daemons, func(ctx context.Context) error {
		available, err := client.DeploymentAvailable(ctx, addons.DNSNamespace, addons.DNSDeployment)
		if err != nil {
			return err
		}
		if !available {
			return errors.New("deployment coredns is not available (kubectl -n kube-system describe pods)")
		}
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		_, err = c.namespace().Lookup(ctx, addons.DNSIP+":53", "kubernetes.default.svc."+controlplane.ClusterDomain)
		return err
	})
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

// The images that every node gets, in this order.
const (
	pauseImage = iota
	busyboxImage
	corednsImage
)

func (c *Cluster) images(programs map[toolchain.Program]string) ([]addons.Archive, error) {
	pauseVersion, err := c.tools.Version(toolchain.Pause)
	if err != nil {
		return nil, err
	}
	pause, err := addons.PauseImage(c.cache, programs[toolchain.Pause], pauseVersion)
	if err != nil {
		return nil, err
	}
	busybox, err := addons.BusyboxImage(c.cache, packages.Busybox())
	if err != nil {
		return nil, err
	}
	corednsVersion, err := c.tools.Version(toolchain.CoreDNS)
	if err != nil {
		return nil, err
	}
	coredns, err := addons.CoreDNSImage(c.cache, programs[toolchain.CoreDNS], corednsVersion)
	if err != nil {
		return nil, err
	}
	return []addons.Archive{pauseImage: pause, busyboxImage: busybox, corednsImage: coredns}, nil
}

// network makes the cluster's network namespace and what is in it.
func (c *Cluster) network(ctx context.Context, state *State) error {
	ns := c.namespace()
	if !ns.Exists() {
		// After a reboot, or when somebody removed it: daemons that still run
		// are in a namespace that nobody can enter any more, and addresses
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

// runtime starts a node's containerd and gives it the images.
func (c *Cluster) runtime(ctx context.Context, n node.Node, images []addons.Archive) error {
	if err := os.MkdirAll(n.RunDir, 0o711); err != nil {
		return err
	}
	spec, err := n.Containerd(images[pauseImage].Image)
	if err != nil {
		return err
	}
	if err := c.start(spec); err != nil {
		return err
	}
	if err := c.await(ctx, spec.Name, time.Minute, []string{spec.Name}, n.ContainerdReady); err != nil {
		return err
	}
	have, err := n.Images(ctx)
	if err != nil {
		return err
	}
	for _, archive := range images {
		if slices.Contains(have, archive.Image) {
			continue
		}
		if _, err := n.Import(ctx, archive.File); err != nil {
			return err
		}
	}
	return nil
}

// kubelet starts a node's kubelet with credentials of its own.
func (c *Cluster) kubelet(config controlplane.Config, n node.Node) (started bool, err error) {
	client, serving := "node-"+n.Name, "kubelet-"+n.Name
	if err := config.ClientKubeconfig(client, "system:node:"+n.Name, "system:nodes"); err != nil {
		return false, err
	}
	if err := config.EnsureServing(serving, "system:node:"+n.Name, n.IP(), n.Name); err != nil {
		return false, err
	}
	if err := cgroup.Ensure(n.Cgroup()); err != nil {
		return false, err
	}
	spec, err := n.Kubelet(node.KubeletFiles{
		Program:     config.Programs[toolchain.Kubelet],
		Kubeconfig:  config.KubeconfigFile(client),
		ClientCA:    config.ClientCAFile(),
		ServingCert: config.PKI().Cert(serving),
		ServingKey:  config.PKI().Key(serving),
	}, addons.DNSIP, controlplane.ClusterDomain)
	if err != nil {
		return false, err
	}
	return c.startOne(spec)
}

// proxy starts kube-proxy: one for all nodes, since they share one network
// namespace and with it one set of packet rules.
func (c *Cluster) proxy(config controlplane.Config, state *State) error {
	if err := config.ClientKubeconfig(proxyName, "system:kube-proxy"); err != nil {
		return err
	}
	type object = map[string]any
	data, err := json.MarshalIndent(object{
		"apiVersion":         "kubeproxy.config.k8s.io/v1alpha1",
		"kind":               "KubeProxyConfiguration",
		"clientConnection":   object{"kubeconfig": config.KubeconfigFile(proxyName)},
		"mode":               "iptables",
		"clusterCIDR":        node.PodCIDR,
		"hostnameOverride":   state.Nodes[0].Name,
		"healthzBindAddress": node.Gateway + ":10256",
		"metricsBindAddress": "127.0.0.1:10249",
		"iptables": object{
			"masqueradeAll": !c.namespace().FiltersBridges(),
			"minSyncPeriod": "200ms",
		},
		// These are settings of the whole machine; leave them.
		"conntrack": object{"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
	}, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(c.dir, "config", "kube-proxy.json")
	if err := files.Write(file, data, 0o644); err != nil {
		return err
	}
	return c.start(process.Spec{
		Name: proxyName, Path: config.Programs[toolchain.Proxy], Netns: config.Netns,
		Args: []string{"--config=" + file},
		Env:  []string{process.ConfigEnv(string(data)), "PATH=" + packages.DaemonPath()},
	})
}

// forwarder carries a port of the host's loopback into the namespace.
func (c *Cluster) forwarder(port int) (process.Spec, error) {
	// A copy, since "go run" deletes the program that it runs.
	program := filepath.Join(c.dir, "bin", "devcluster")
	if _, err := c.procs.Find(forwarderName); errors.Is(err, process.ErrNotRunning) {
		if err := copySelf(program); err != nil {
			return process.Spec{}, err
		}
	}
	return process.Spec{
		Name: forwarderName, Path: program,
		Args: []string{
			ForwardVerb,
			"--netns=" + c.namespace().File,
			fmt.Sprintf("--listen=127.0.0.1:%d", port),
			fmt.Sprintf("--to=%s:%d", node.Gateway, apiPort),
		},
	}, nil
}

// LoadImages imports archives into every node.
func (c *Cluster) LoadImages(ctx context.Context, archives []string) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	state, err := c.State()
	if err != nil {
		return err
	}
	if state == nil {
		return ErrNoCluster
	}
	if state.Mode == Simulated {
		c.say.Say("simulated nodes run no containers; nothing to load")
		return nil
	}
	if why := realImpossible(); why != "" {
		return fmt.Errorf("images cannot be loaded: %s", why)
	}
	if err := os.Setenv("PATH", packages.Path()); err != nil {
		return err
	}
	for _, archive := range archives {
		group, groupCtx := errgroup.WithContext(ctx)
		for _, n := range c.nodes(state) {
			group.Go(func() error {
				out, err := n.Import(groupCtx, archive)
				if err == nil && n.Index == state.Nodes[0].Index {
					c.say.Say("%s", strings.TrimSpace(out))
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		c.say.Say("loaded %s into %s", archive, strings.Join(state.Names(), ", "))
	}
	return nil
}
