package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMountsBelow(t *testing.T) {
	const mountinfo = `22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:4 net:[4026532000] /run/x/netns rw - nsfs nsfs rw
31 22 0:40 / /run/x/n0/rootfs rw - overlay overlay rw
32 31 0:41 / /run/x/n0/rootfs/a\040b rw - tmpfs tmpfs rw
33 22 0:42 / /run/xy rw - tmpfs tmpfs rw
34 22 0:43 / /state/dev/nodes/n0/kubelet/pods/1/volumes/v rw - tmpfs tmpfs rw
`
	want := []string{
		"/state/dev/nodes/n0/kubelet/pods/1/volumes/v",
		"/run/x/n0/rootfs/a b",
		"/run/x/n0/rootfs",
	}
	if diff := cmp.Diff(want, mountsBelow(mountinfo, []string{"/run/x", "/state/dev"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOnlyClientsOfOurContainerdAreOurs(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want bool
	}{
		"our shim":           {[]string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "x", "-address", "/run/x/n0/containerd.sock"}, true},
		"our ctr":            {[]string{"/usr/bin/ctr", "--address", "/run/x/n0/containerd.sock", "images"}, true},
		"the service's shim": {[]string{"/usr/bin/containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"}, false},
		"another cluster's":  {[]string{"/usr/bin/containerd-shim-runc-v2", "-address", "/run/xy/n0/containerd.sock"}, false},
		"an editor":          {[]string{"vi", "-address", "/run/x/n0/containerd.sock"}, false},
		"a kernel thread":    {[]string{""}, false},
		"a flag cut short":   {[]string{"ctr", "--address"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := isClient(tc.args, "/run/x"); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
