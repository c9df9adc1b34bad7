// Package netns makes the network namespace that a real cluster lives in, and
// carries connections into it from the host. Nothing that the cluster does to
// addresses, routes or packet filters is seen outside.
package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace, kept by a mount of it on a file.
type Namespace struct{ File string }

// Exists reports whether the namespace exists. The file alone is not enough: after a reboot its
// mount is gone.
func (ns Namespace) Exists() bool {
	var fs unix.Statfs_t
	if err := unix.Statfs(ns.File, &fs); err != nil {
		return false
	}
	const nsfsMagic = 0x6e736673
	return fs.Type == nsfsMagic
}

// Ensure creates the namespace unless it exists.
func (ns Namespace) Ensure() error {
	if ns.Exists() {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(ns.File), 0o711); err != nil {
		return err
	}
	f, err := os.OpenFile(ns.File, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	f.Close()
	done := make(chan error)
	go func() {
		// The thread is in another namespace now: it is never unlocked, so the
		// runtime throws it away with the goroutine.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("making a network namespace: %w", err)
			return
		}
		own := fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
		if err := unix.Mount(own, ns.File, "", unix.MS_BIND, ""); err != nil {
			done <- fmt.Errorf("mounting the network namespace on %s: %w", ns.File, err)
			return
		}
		done <- nil
	}()
	return <-done
}

// Remove unmounts the namespace; the kernel deletes it with its last user.
func (ns Namespace) Remove() error {
	if ns.Exists() {
		if err := unix.Unmount(ns.File, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting %s: %w", ns.File, err)
		}
	}
	if err := os.Remove(ns.File); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Inside runs f on a thread in the namespace. Programs that f starts and sockets
// that it opens are in the namespace too.
func (ns Namespace) Inside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- func() error {
			file, err := os.Open(ns.File)
			if err != nil {
				return err
			}
			defer file.Close()
			if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("entering network namespace %s: %w", ns.File, err)
			}
			return f()
		}()
	}()
	return <-done
}

// Network is what the namespace holds.
type Network struct {
	Bridge string
	// Gateway is the control plane's address, on the bridge.
	Gateway string
	// NodeIPs are the nodes' addresses, on the same bridge.
	NodeIPs []string
	// PrefixLength of all of them.
	PrefixLength int
}

// Configure makes links, addresses and routes as n says, leaving what is right.
func (ns Namespace) Configure(ctx context.Context, n Network) error {
	return ns.Inside(func() error {
		if _, err := ip(ctx, "link", "show", n.Bridge); err != nil {
			if _, err := ip(ctx, "link", "add", n.Bridge, "type", "bridge"); err != nil {
				return err
			}
		}
		for _, link := range []string{"lo", n.Bridge} {
			if _, err := ip(ctx, "link", "set", link, "up"); err != nil {
				return err
			}
		}
		if err := addresses(ctx, n); err != nil {
			return err
		}
		// A default route lets programs find "their" address; it leads nowhere.
		if _, err := ip(ctx, "route", "replace", "default", "via", n.Gateway, "dev", n.Bridge, "src", n.Gateway); err != nil {
			if _, err := ip(ctx, "route", "replace", "default", "dev", n.Bridge, "src", n.Gateway); err != nil {
				return err
			}
		}
		return sysctls(ctx)
	})
}

// addresses gives the bridge the wanted addresses and takes others away.
func addresses(ctx context.Context, n Network) error {
	out, err := ip(ctx, "-o", "-4", "addr", "show", "dev", n.Bridge)
	if err != nil {
		return err
	}
	var present []string
	for line := range strings.SplitSeq(out, "\n") {
		fields := strings.Fields(line)
		if i := slices.Index(fields, "inet"); i >= 0 && i+1 < len(fields) {
			present = append(present, fields[i+1])
		}
	}
	var wanted []string
	for _, a := range append([]string{n.Gateway}, n.NodeIPs...) {
		wanted = append(wanted, fmt.Sprintf("%s/%d", a, n.PrefixLength))
	}
	for _, change := range []struct {
		verb      string
		of, butIn []string
	}{{"del", present, wanted}, {"add", wanted, present}} {
		for _, a := range change.of {
			if slices.Contains(change.butIn, a) {
				continue
			}
			if _, err := ip(ctx, "addr", change.verb, a, "dev", n.Bridge); err != nil {
				return err
			}
		}
	}
	return nil
}

// bridgeFilter makes packets between pods on one bridge pass the rules of kube-proxy. Otherwise the
// response of a pod behind a service address, to a pod on the same node, would not be translated
// back.
const bridgeFilter = "/proc/sys/net/bridge/bridge-nf-call-iptables"

func sysctls(ctx context.Context) error {
	if _, err := os.Stat(bridgeFilter); err != nil {
		// Not fatal: kube-proxy then masquerades all.
		_ = exec.CommandContext(ctx, "modprobe", "br_netfilter").Run()
	}
	settings := map[string]string{
		"/proc/sys/net/ipv4/ip_forward":              "1",
		"/proc/sys/net/ipv4/conf/all/route_localnet": "1",
	}
	if _, err := os.Stat(bridgeFilter); err == nil {
		settings[bridgeFilter] = "1"
	}
	for file, value := range settings {
		if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
			return fmt.Errorf("setting %s: %w", file, err)
		}
	}
	return nil
}

// FiltersBridges reports whether packets on a bridge pass iptables in this namespace.
func (ns Namespace) FiltersBridges() bool {
	filters := false
	_ = ns.Inside(func() error {
		data, err := os.ReadFile(bridgeFilter)
		filters = err == nil && strings.TrimSpace(string(data)) == "1"
		return nil
	})
	return filters
}

// DeleteLink removes a link, such as the pod bridge of a node that is gone.
func (ns Namespace) DeleteLink(ctx context.Context, name string) error {
	return ns.Inside(func() error {
		if _, missing := ip(ctx, "link", "show", name); missing == nil {
			_, err := ip(ctx, "link", "del", name)
			return err
		}
		return nil
	})
}

func ip(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
