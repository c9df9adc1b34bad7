// Package packages finds or installs the system programs that nodes need and that are not built
// from Go modules.
package packages

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/image"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
)

// requirement is something that must be there, and the Debian package that brings
// it. Things are looked for, not packages: a containerd from elsewhere will do.
type requirement struct {
	pkg     string
	what    string
	present func() bool
}

var requirements = []requirement{
	{"containerd", "containerd", onPath("containerd", "containerd-shim-runc-v2", "ctr")},
	{"runc", "runc", onPath("runc")},
	{"containernetworking-plugins", "the CNI plugins bridge, host-local and loopback", func() bool { return CNIPlugins() != "" }},
	{"busybox-static", "a static busybox", func() bool { return Busybox() != "" }},
	{"iptables", "iptables", onPath("iptables", "iptables-save", "iptables-restore")},
	{"conntrack", "conntrack", onPath("conntrack")},
	{"iproute2", "ip", onPath("ip")},
	{"mount", "mount", onPath("mount", "umount")},
}

func onPath(programs ...string) func() bool {
	return func() bool {
		for _, p := range programs {
			if Find(p) == "" {
				return false
			}
		}
		return true
	}
}

// sbin is where Debian keeps some of the programs; it is not on everybody's PATH.
var sbin = []string{"/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/bin", "/bin"}

// Find looks for a program on PATH and in the directories of system programs.
func Find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, dir := range sbin {
		if path := filepath.Join(dir, program); executable(path) {
			return path
		}
	}
	return ""
}

// Path is a PATH on which all of the programs are found.
func Path() string {
	parts := filepath.SplitList(os.Getenv("PATH"))
	for _, dir := range sbin {
		if !slices.Contains(parts, dir) {
			parts = append(parts, dir)
		}
	}
	return strings.Join(parts, string(filepath.ListSeparator))
}

// DaemonPath is the PATH of daemons. It does not depend on the caller's PATH; otherwise each shell
// with another PATH would restart them.
func DaemonPath() string {
	parts := slices.Clone(sbin)
	for _, program := range []string{"containerd", "containerd-shim-runc-v2", "runc", "iptables", "conntrack", "mount"} {
		if path := Find(program); path != "" && !slices.Contains(parts, filepath.Dir(path)) {
			parts = append(parts, filepath.Dir(path))
		}
	}
	return strings.Join(parts, string(filepath.ListSeparator))
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// CNIPlugins is the directory of the CNI plugins, or empty.
func CNIPlugins() string {
	for _, dir := range []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} {
		if executable(filepath.Join(dir, "bridge")) && executable(filepath.Join(dir, "host-local")) && executable(filepath.Join(dir, "loopback")) {
			return dir
		}
	}
	return ""
}

// Busybox is a static busybox, or empty.
func Busybox() string {
	for _, path := range []string{"/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"} {
		if _, err := image.StaticArchitecture(path); err == nil {
			return path
		}
	}
	return ""
}

func missing() (pkgs, whats []string) {
	for _, r := range requirements {
		if !r.present() {
			pkgs = append(pkgs, r.pkg)
			whats = append(whats, r.what)
		}
	}
	return pkgs, whats
}

// Ensure installs what is missing with apt-get.
func Ensure(ctx context.Context, say *progress.Printer) error {
	pkgs, whats := missing()
	if len(pkgs) == 0 {
		return nil
	}
	byHand := "apt-get install --no-install-recommends " + strings.Join(pkgs, " ")
	apt := Find("apt-get")
	if apt == "" {
		return fmt.Errorf("real nodes need %s, and there is no apt-get to install it; on Debian: %s. Or use --simulated", strings.Join(whats, ", "), byHand)
	}
	say.Say("installing Debian packages: %s", strings.Join(pkgs, " "))
	// Wait for another installation to end.
	const wait = "DPkg::Lock::Timeout=300"
	install := append([]string{"install", "-y", "-o", wait, "--no-install-recommends"}, pkgs...)
	out, err := run(ctx, apt, install...)
	if err != nil && ctx.Err() == nil {
		// The package lists may be missing or old.
		say.Say("apt-get install failed; updating the package lists and trying again")
		if out, err := run(ctx, apt, "update", "-o", wait); err != nil {
			return fmt.Errorf("apt-get update: %w\n%s\nreal nodes need %s; when the packages can be had, run: %s", err, tail(out), strings.Join(whats, ", "), byHand)
		}
		out, err = run(ctx, apt, install...)
	}
	if err != nil {
		return fmt.Errorf("apt-get install: %w\n%s\nreal nodes need %s; fix that and run: %s", err, tail(out), strings.Join(whats, ", "), byHand)
	}
	if pkgs, whats := missing(); len(pkgs) > 0 {
		return fmt.Errorf("the packages %s are installed, yet these are not found: %s", strings.Join(pkgs, ", "), strings.Join(whats, ", "))
	}
	return nil
}

func run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "PATH="+Path())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) > 12 {
		lines = lines[len(lines)-12:]
	}
	return "  " + strings.Join(lines, "\n  ")
}
