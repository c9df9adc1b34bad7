package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/cgroup"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/node"
)

// cleanReal ends the nodes and removes all that they have left outside the state
// directory: containers, mounts, cgroups, the network namespace. It relies on
// what it finds rather than on the state, which a kill may have cut short.
func (c *Cluster) cleanReal(ctx context.Context, state *State) error {
	if _, err := os.Stat(c.runDir()); errors.Is(err, fs.ErrNotExist) && (state == nil || state.Mode != Real) {
		return nil
	}
	if err := c.endContainers(ctx, node.CgroupRoot(c.id()), c.runDir()); err != nil {
		return err
	}
	names, err := c.procs.Names()
	if err != nil {
		return err
	}
	var runtimes []string
	for _, name := range names {
		if strings.HasPrefix(name, "containerd-") {
			runtimes = append(runtimes, name)
		}
	}
	if err := c.stopAll(runtimes); err != nil {
		return err
	}
	// Below the run directory is the namespace's own mount, too: all others go
	// first, so that a failure leaves something to try again with.
	if err := unmountBelow(c.dir, c.runDir()); err != nil {
		return err
	}
	if err := cgroup.Remove(node.CgroupRoot(c.id())); err != nil {
		return err
	}
	if err := removeTraces(c.dir, node.CNIPrefix(c.id())); err != nil {
		return err
	}
	if err := c.namespace().Remove(); err != nil {
		return err
	}
	if state != nil {
		restoreTunables(state.Tunables)
		removeMadeDirs(state.MadeDirs)
	}
	if err := os.RemoveAll(c.runDir()); err != nil {
		return err
	}
	// Shared with other clusters; goes with the last.
	_ = os.Remove(filepath.Dir(c.runDir()))
	return nil
}

// removeNode ends one node of a cluster that goes on.
func (c *Cluster) removeNode(ctx context.Context, n node.Node) error {
	if err := c.procs.Stop(n.KubeletName(), 10*time.Second); err != nil {
		return err
	}
	if err := c.endContainers(ctx, n.Cgroup(), n.RunDir); err != nil {
		return err
	}
	if err := c.procs.Stop(n.ContainerdName(), 10*time.Second); err != nil {
		return err
	}
	if err := unmountBelow(n.Dir, n.RunDir); err != nil {
		return err
	}
	if err := cgroup.Remove(n.Cgroup()); err != nil {
		return err
	}
	if err := removeTraces(n.Dir, n.CNINetwork()+"-"); err != nil {
		return err
	}
	if err := c.namespace().DeleteLink(ctx, n.PodBridge()); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(n.RunDir), os.RemoveAll(n.Dir))
}

// endContainers kills what runs in the cgroups, which only hold our containers,
// and the shims above them, known by containerd's socket on their command line.
func (c *Cluster) endContainers(ctx context.Context, group, runDir string) error {
	sockets, err := shimSockets(runDir)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		pids := append(cgroup.Processes(group), clients(runDir)...)
		if len(pids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("containers do not end, pids %v", pids)
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	for _, s := range sockets {
		_ = os.Remove(s)
	}
	return nil
}

// clients are the containerd shims, and what a killed "up" has left of ctr, whose
// containerd has its socket below dir: the path is ours alone.
func clients(dir string) []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if !isClient(strings.Split(string(bytes.TrimRight(data, "\x00")), "\x00"), dir) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func isClient(args []string, dir string) bool {
	flag := "-address"
	switch program := filepath.Base(args[0]); {
	case program == "ctr":
		flag = "--address"
	case !strings.HasPrefix(program, "containerd-shim"):
		return false
	}
	i := slices.Index(args, flag)
	return i >= 0 && i+1 < len(args) && strings.HasPrefix(args[i+1], dir+"/")
}

// shimSockets are the sockets that shims keep in a place of their own, each named
// in a file of its container.
func shimSockets(runDir string) ([]string, error) {
	var sockets []string
	err := filepath.WalkDir(runDir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		case d.Name() == "rootfs" && d.IsDir():
			return fs.SkipDir
		case d.Name() == "address" && d.Type().IsRegular():
			// A file that has vanished meanwhile counts as empty.
			data, _ := os.ReadFile(path)
			if socket, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "unix://"); ok && strings.HasPrefix(socket, "/run/containerd/s/") {
				sockets = append(sockets, socket)
			}
		}
		return nil
	})
	return sockets, err
}

// unmountBelow unmounts everything below the directories, the last mounted first.
func unmountBelow(dirs ...string) error {
	for range 3 {
		data, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return err
		}
		points := mountsBelow(string(data), dirs)
		if len(points) == 0 {
			return nil
		}
		for _, p := range points {
			if err := unix.Unmount(p, 0); err != nil {
				_ = unix.Unmount(p, unix.MNT_DETACH)
			}
		}
	}
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if left := mountsBelow(string(data), dirs); len(left) > 0 {
		return fmt.Errorf("cannot unmount %s", strings.Join(left, ", "))
	}
	return nil
}

// mountsBelow reads mount points out of /proc/self/mountinfo, last first. The
// network namespace is not among them: it is removed by its owner.
func mountsBelow(mountinfo string, dirs []string) []string {
	var points []string
	for line := range strings.SplitSeq(mountinfo, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		point := unescapeMount(fields[4])
		for _, dir := range dirs {
			if strings.HasPrefix(point, dir+"/") && point != filepath.Join(dir, "netns") {
				points = append(points, point)
				break
			}
		}
	}
	slices.Reverse(points)
	return points
}

// unescapeMount undoes the octal escapes of blanks in mountinfo.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
