// Package node runs real nodes: each has a containerd and a kubelet of its own. All
// share one network namespace, where each has its own address and pod subnet.
package node

import (
	"fmt"
	"path/filepath"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/files"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/packages"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
)

// Addresses of the cluster's network, which exists only in its namespace.
const (
	Gateway      = "10.200.0.1"
	PrefixLength = 24
	PodCIDR      = "10.244.0.0/16"
	// Max nodes: more do not make sense on one machine.
	Max = 50
)

// Node is one node of a cluster.
type Node struct {
	Cluster string
	Name    string
	// Index is the node's number, which gives its addresses; it does not change
	// while the node lives.
	Index int
	// Dir is the node's state on disk, RunDir holds its sockets: Unix socket
	// paths must stay under 108 characters, and containerd makes long ones.
	Dir    string
	RunDir string
	// Netns is the file of the cluster's network namespace.
	Netns string
}

// IP is the node's address.
func (n Node) IP() string { return fmt.Sprintf("10.200.0.%d", 10+n.Index) }

// PodSubnet holds the addresses of the node's pods.
func (n Node) PodSubnet() string { return fmt.Sprintf("10.244.%d.0/24", n.Index) }

// PodBridge is the link that the node's pods hang on.
func (n Node) PodBridge() string { return fmt.Sprintf("pods%d", n.Index) }

// CNINetwork is the network's name in CNI's files.
func (n Node) CNINetwork() string { return CNIPrefix(n.Cluster) + fmt.Sprint(n.Index) }

// CNIPrefix begins the CNI network names of a cluster.
func CNIPrefix(cluster string) string { return "devcluster-" + cluster + "-" }

// CgroupRoot is above the cgroups of all pods of a cluster's nodes.
func CgroupRoot(cluster string) string { return "/devcluster-" + cluster }

// Cgroup holds the node's pods.
func (n Node) Cgroup() string { return fmt.Sprintf("%s/node%d", CgroupRoot(n.Cluster), n.Index) }

// Socket is containerd's.
func (n Node) Socket() string { return filepath.Join(n.RunDir, "containerd.sock") }

// ContainerdName is the daemon's name.
func (n Node) ContainerdName() string { return "containerd-" + n.Name }

// KubeletName is the daemon's name.
func (n Node) KubeletName() string { return "kubelet-" + n.Name }

func (n Node) file(name string) string { return filepath.Join(n.Dir, name) }

// write writes a file of the node's configuration.
func (n Node) write(name, content string) error {
	return files.Write(n.file(name), []byte(content), 0o644)
}

// spec is the start of a daemon that reads the given configuration. Its digest is
// in the environment, so that a daemon started with another one is started anew.
func (n Node) spec(name, config, path string, args ...string) process.Spec {
	return process.Spec{
		Name: name, Path: path, Args: args, Netns: n.Netns,
		Env: []string{"PATH=" + packages.DaemonPath(), process.ConfigEnv(config)},
	}
}
