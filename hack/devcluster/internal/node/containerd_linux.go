package node

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/sys/unix"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/packages"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
)

//go:embed containerd.toml.tmpl
var containerdConfig string

var containerdTemplate = template.Must(template.New("containerd.toml").Parse(containerdConfig))

// Containerd writes its configuration and returns its start.
func (n Node) Containerd(pauseImage string) (process.Spec, error) {
	var config strings.Builder
	err := containerdTemplate.Execute(&config, map[string]string{
		"Root":        n.file("containerd"),
		"State":       filepath.Join(n.RunDir, "containerd"),
		"Socket":      n.Socket(),
		"RuncRoot":    filepath.Join(n.RunDir, "runc"),
		"Opt":         n.file("opt"),
		"PauseImage":  pauseImage,
		"CNIPlugins":  packages.CNIPlugins(),
		"CNIConfig":   n.file("cni"),
		"Snapshotter": snapshotter(filepath.Dir(n.Dir)),
	})
	if err != nil {
		return process.Spec{}, err
	}
	if err := n.write("containerd.toml", config.String()); err != nil {
		return process.Spec{}, err
	}
	if err := n.writeCNI(); err != nil {
		return process.Spec{}, err
	}
	return n.spec(n.ContainerdName(), config.String(), packages.Find("containerd"), "--config", n.file("containerd.toml"), "--log-level", "warn"), nil
}

// snapshotter returns overlayfs where it works: not on top of another overlay, for example if
// devcluster itself runs in a container.
func snapshotter(dir string) string {
	var fs unix.Statfs_t
	const overlayMagic = 0x794c7630
	if err := unix.Statfs(dir, &fs); err == nil && fs.Type == overlayMagic {
		return "native"
	}
	return "overlayfs"
}

func (n Node) writeCNI() error {
	type object = map[string]any
	config := object{
		"cniVersion": "0.4.0",
		"name":       n.CNINetwork(),
		"plugins": []object{{
			"type":   "bridge",
			"bridge": n.PodBridge(),
			// The bridge is the pods' gateway, and the namespace routes between
			// the bridges: no masquerading, pods see each other's true address.
			"isGateway": true,
			"ipMasq":    false,
			// A pod may reach itself by way of its service.
			"hairpinMode": true,
			"ipam": object{
				"type":    "host-local",
				"ranges":  [][]object{{{"subnet": n.PodSubnet()}}},
				"routes":  []object{{"dst": "0.0.0.0/0"}},
				"dataDir": n.file("cni-addresses"),
			},
		}},
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return n.write("cni/10-devcluster.conflist", string(data))
}

// Ctr runs containerd's own client in the namespace of Kubernetes.
func (n Node) Ctr(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, packages.Find("ctr"), append([]string{"--address", n.Socket(), "--namespace", "k8s.io"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ctr %s on %s: %w: %s", strings.Join(args, " "), n.Name, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// Import imports an image archive.
func (n Node) Import(ctx context.Context, archive string) (string, error) {
	return n.Ctr(ctx, "images", "import", archive)
}

// Images lists the names of the node's images.
func (n Node) Images(ctx context.Context) ([]string, error) {
	out, err := n.Ctr(ctx, "images", "list", "--quiet")
	if err != nil {
		return nil, err
	}
	images := strings.Fields(out)
	slices.Sort(images)
	return images, nil
}
