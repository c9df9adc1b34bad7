package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// removeTraces removes what kubelets and CNI plugins leave in places that cannot be
// configured: links to logs, and results of network set-ups.
func removeTraces(dir, cniPrefix string) error {
	links, _ := filepath.Glob("/var/log/containers/*.log")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, dir+"/") {
			if err := os.Remove(link); err != nil {
				return err
			}
		}
	}
	const results = "/var/lib/cni/results/"
	ours, _ := filepath.Glob(results + cniPrefix + "*")
	for _, file := range ours {
		if err := os.Remove(file); err != nil {
			return err
		}
		// NETWORK-SANDBOX-INTERFACE; the sandbox has a loopback, too, under a
		// network name that is the same for everybody.
		parts := strings.Split(filepath.Base(file), "-")
		if len(parts) > 2 {
			_ = os.Remove(results + "cni-loopback-" + parts[len(parts)-2] + "-lo")
		}
	}
	return nil
}

// sharedDirs are the directories that programs make in places which cannot be
// configured, the deepest first.
var sharedDirs = []string{
	"/var/lib/kubelet/device-plugins", "/var/lib/kubelet",
	"/var/lib/cni/results", "/var/lib/cni/cache", "/var/lib/cni",
	"/var/log/containers",
	"/run/containerd/s", "/run/containerd/runc", "/run/containerd",
}

// absentDirs are those of them that are not there, for the state to remember.
func absentDirs() []string {
	absent := []string{}
	for _, dir := range sharedDirs {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			absent = append(absent, dir)
		}
	}
	return absent
}

// removeMadeDirs removes the directories that were not there before the cluster,
// unless another process has put something into them since.
func removeMadeDirs(made []string) {
	for _, dir := range made {
		if dir == "/var/lib/kubelet/device-plugins" {
			for _, file := range []string{"kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION"} {
				_ = os.Remove(filepath.Join(dir, file))
			}
		}
		_ = os.Remove(dir)
	}
}

// inotifyInstances is how many files of watches one user may open. Each node takes
// about 15 and each container some more; the kernel's default, 128, is not enough
// for two clusters, or for one and an editor.
const (
	inotifyInstances  = "/proc/sys/fs/inotify/max_user_instances"
	enoughForClusters = 8192
)

// tunables are settings of the whole machine's kernel that a kubelet changes, or
// that we do.
var tunables = []string{
	inotifyInstances,
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/vm/panic_on_oom",
	"/proc/sys/kernel/panic",
	"/proc/sys/kernel/panic_on_oops",
	"/proc/sys/kernel/keys/root_maxkeys",
	"/proc/sys/kernel/keys/root_maxbytes",
}

func readTunables() map[string]string {
	values := map[string]string{}
	for _, file := range tunables {
		if data, err := os.ReadFile(file); err == nil {
			values[file] = strings.TrimSpace(string(data))
		}
	}
	return values
}

// allowWatches raises the limit of inotify instances where it is low.
func allowWatches() error {
	data, err := os.ReadFile(inotifyInstances)
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || limit >= enoughForClusters {
		return err
	}
	if err := os.WriteFile(inotifyInstances, []byte(strconv.Itoa(enoughForClusters)), 0o644); err != nil {
		return fmt.Errorf("raising fs.inotify.max_user_instances, which is %d, to %d: %w", limit, enoughForClusters, err)
	}
	return nil
}

func restoreTunables(values map[string]string) {
	for file, value := range values {
		_ = os.WriteFile(file, []byte(value), 0o644)
	}
}
