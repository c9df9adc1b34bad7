// Package toolchain builds the programs of a cluster from Go modules and keeps them in a cache. It
// needs no prebuilt binaries.
package toolchain

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// Program is one program of a tool set.
type Program string

// The programs that a cluster is made of.
const (
	APIServer         Program = "kube-apiserver"
	ControllerManager Program = "kube-controller-manager"
	Scheduler         Program = "kube-scheduler"
	Kubelet           Program = "kubelet"
	Proxy             Program = "kube-proxy"
	Kubectl           Program = "kubectl"
	Etcd              Program = "etcd"
	Kwok              Program = "kwok"
	CoreDNS           Program = "coredns"
	Pause             Program = "pause"
)

// set is a group of programs that come from one Go module and share its version.
type set struct {
	name string
	// dir is the folder of the module that pins the set, relative to the sources.
	dir string
	// module carries the version. When empty the set is our own code, and its
	// version is given here.
	module  string
	version string
	// packages maps each program to its main package.
	packages map[Program]string
	// ldflags returns linker flags for the version.
	ldflags func(version string) []string
	// hint is shown while it builds.
	hint string
}

var sets = []set{
	{
		name:   "kubernetes",
		dir:    "tools/kubernetes",
		module: "k8s.io/kubernetes",
		packages: map[Program]string{
			APIServer:         "k8s.io/kubernetes/cmd/kube-apiserver",
			ControllerManager: "k8s.io/kubernetes/cmd/kube-controller-manager",
			Scheduler:         "k8s.io/kubernetes/cmd/kube-scheduler",
			Kubelet:           "k8s.io/kubernetes/cmd/kubelet",
			Proxy:             "k8s.io/kubernetes/cmd/kube-proxy",
			Kubectl:           "k8s.io/kubernetes/cmd/kubectl",
		},
		ldflags: kubernetesVersionFlags,
		hint:    "8 to 13 minutes the first time on two cores",
	},
	{
		name:     "etcd",
		dir:      "tools/etcd",
		module:   "go.etcd.io/etcd/server/v3",
		packages: map[Program]string{Etcd: "go.etcd.io/etcd/server/v3"},
		hint:     "about a minute the first time",
	},
	{
		name:     "kwok",
		dir:      "tools/kwok",
		module:   "sigs.k8s.io/kwok",
		packages: map[Program]string{Kwok: "sigs.k8s.io/kwok/cmd/kwok"},
		hint:     "about two minutes the first time",
	},
	{
		name:     "coredns",
		dir:      "tools/coredns",
		module:   "github.com/coredns/coredns",
		packages: map[Program]string{CoreDNS: "."},
		hint:     "a minute or two the first time",
	},
	{
		name:     "pause",
		dir:      ".",
		version:  "v1",
		packages: map[Program]string{Pause: "./internal/pause"},
		hint:     "a few seconds",
	},
}

// kubernetesVersionFlags makes the programs report their version. A build from a
// module knows none, and a server that says v0.0.0 fails the version checks of
// its clients.
func kubernetesVersionFlags(version string) []string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags, "-X", pkg+".gitVersion="+version)
		if len(parts) == 3 {
			flags = append(flags, "-X", pkg+".gitMajor="+parts[0], "-X", pkg+".gitMinor="+parts[1])
		}
	}
	return flags
}

// setOf returns the set that a program belongs to.
func setOf(p Program) (set, error) {
	for _, s := range sets {
		if _, ok := s.packages[p]; ok {
			return s, nil
		}
	}
	return set{}, fmt.Errorf("no tool set holds %s", p)
}

// versionIn reads the set's version from the go.mod that pins it, so that the
// number stands in one place.
func (s set) versionIn(source string) (string, error) {
	if s.module == "" {
		return s.version, nil
	}
	file := filepath.Join(source, filepath.FromSlash(s.dir), "go.mod")
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	parsed, err := modfile.Parse(file, data, nil)
	if err != nil {
		return "", err
	}
	for _, r := range parsed.Require {
		if r.Mod.Path == s.module {
			return r.Mod.Version, nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", file, s.module)
}
