// Package paths says where devcluster keeps things: built programs in a cache
// that clusters share, and one state directory a cluster.
package paths

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// Environment variables that move the defaults.
const (
	CacheEnv  = "DEVCLUSTER_CACHE"
	StateEnv  = "DEVCLUSTER_STATE"
	SourceEnv = "DEVCLUSTER_SOURCE"
)

const appDir = "jobflow-devcluster"

// Cache is the directory for built programs.
func Cache() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return filepath.Abs(filepath.Join(dir, appDir))
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Abs(filepath.Join(dir, appDir))
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a cache directory: %w; set %s", err, CacheEnv)
	}
	return filepath.Join(home, ".cache", appDir), nil
}

// StateRoot is the directory that holds the state of every cluster.
func StateRoot() (string, error) {
	if dir := os.Getenv(StateEnv); dir != "" {
		return filepath.Abs(dir)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a state directory: %w; set %s", err, StateEnv)
	}
	return filepath.Join(home, ".local", "state", appDir), nil
}

// A cluster's name becomes part of file, cgroup and network namespace names.
var clusterName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$`)

// State is the state directory of the named cluster.
func State(name string) (string, error) {
	if !clusterName.MatchString(name) {
		return "", fmt.Errorf("cluster name %q: use 1 to 30 lower-case letters, digits and dashes, beginning and ending with a letter or digit", name)
	}
	root, err := StateRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, name), nil
}

// Source is the directory of this module's sources: the programs are built from
// the modules under its tools directory, which cannot be embedded because each
// has a go.mod of its own.
func Source() (string, error) {
	if dir := os.Getenv(SourceEnv); dir != "" {
		if !isSource(dir) {
			return "", fmt.Errorf("%s=%s does not hold tools/kubernetes/go.mod", SourceEnv, dir)
		}
		return filepath.Abs(dir)
	}
	var starts []string
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	// Set when the program was built without -trimpath, as by "go run".
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		starts = append(starts, filepath.Dir(file))
	}
	for _, dir := range starts {
		for {
			for _, candidate := range []string{dir, filepath.Join(dir, "hack", "devcluster")} {
				if isSource(candidate) {
					return candidate, nil
				}
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return "", errors.New("cannot find the sources of hack/devcluster: run inside the repository, or set " + SourceEnv)
}

func isSource(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "tools", "kubernetes", "go.mod"))
	return err == nil
}
