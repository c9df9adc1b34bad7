package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/addons"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/cgroup"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/files"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/node"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/packages"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

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
