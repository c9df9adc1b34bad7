// Package cgroup creates and removes the cgroup that holds all containers of a node. Every process
// in it belongs to devcluster, which may therefore kill it.
package cgroup

import (
	"bytes"
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
)

const mountPoint = "/sys/fs/cgroup"

// hierarchies returns the roots: one in version 2; one for each controller in version 1, and in
// addition one of version 2 where the machine has it.
func hierarchies() []string {
	if isCgroup(mountPoint) {
		return []string{mountPoint}
	}
	entries, _ := os.ReadDir(mountPoint)
	var found []string
	for _, e := range entries {
		// Links are other names of the same: cpu for cpu,cpuacct.
		if dir := filepath.Join(mountPoint, e.Name()); e.IsDir() && isCgroup(dir) {
			found = append(found, dir)
		}
	}
	return found
}

func isCgroup(dir string) bool {
	var f unix.Statfs_t
	if err := unix.Statfs(dir, &f); err != nil {
		return false
	}
	return f.Type == unix.CGROUP_SUPER_MAGIC || f.Type == unix.CGROUP2_SUPER_MAGIC
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Ensure makes the cgroup in all hierarchies. A kubelet demands that its root is
// there.
func Ensure(cgroup string) error {
	for _, root := range hierarchies() {
		dir := root
		for part := range strings.SplitSeq(strings.Trim(cgroup, "/"), "/") {
			enableControllers(dir)
			parent := dir
			dir = filepath.Join(dir, part)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("making cgroup %s: %w", dir, err)
			}
			if err := inheritCpuset(parent, dir); err != nil {
				return err
			}
		}
		enableControllers(dir)
	}
	return nil
}

// enableControllers passes on what version 2 does not pass on by itself. One by one:
// what the machine lacks must not keep the others away.
func enableControllers(dir string) {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return
	}
	for controller := range strings.FieldsSeq(string(data)) {
		_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
	}
}

// inheritCpuset fills in the processors and memory nodes, which version 1 leaves
// empty in a new cgroup, so that no process could enter it.
func inheritCpuset(parent, dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		above, err := os.ReadFile(filepath.Join(parent, file))
		if err != nil || len(bytes.TrimSpace(above)) == 0 {
			continue
		}
		own, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || len(bytes.TrimSpace(own)) > 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, file), above, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// dirs are the directories of a cgroup: one in version 2, one for each
// controller in version 1.
func dirs(cgroup string) []string {
	var all []string
	for _, h := range hierarchies() {
		if dir := filepath.Join(h, cgroup); isDir(dir) {
			all = append(all, dir)
		}
	}
	return all
}

// Processes returns the pids in a cgroup and those below it. A cgroup that vanishes meanwhile has
// none.
func Processes(cgroup string) []int {
	var pids []int
	for _, dir := range below(cgroup) {
		data, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		for field := range strings.FieldsSeq(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// below are the directories of a cgroup and of those below it, each after its parent.
func below(cgroup string) []string {
	var found []string
	for _, root := range dirs(cgroup) {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				found = append(found, path)
			}
			return nil
		})
	}
	return found
}

// Remove removes a cgroup and those below it; they are empty by now, but the
// kernel may need a moment to see it.
func Remove(cgroup string) error {
	var last error
	for range 50 {
		last = nil
		for _, dir := range slices.Backward(below(cgroup)) {
			if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
				last = fmt.Errorf("removing cgroup %s: %w", dir, err)
			}
		}
		if last == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return last
}
