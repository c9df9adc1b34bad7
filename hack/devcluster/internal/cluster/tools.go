package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

// ForwardVerb is the hidden verb by which the program becomes the forwarder.
const ForwardVerb = "forward"

// freePort finds a free port on loopback, the preferred one if it may be had.
func freePort(preferred int) (int, error) {
	for _, port := range []int{preferred, 0} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		port = l.Addr().(*net.TCPAddr).Port
		return port, l.Close()
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// copySelf copies this program.
func copySelf(to string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	in, err := os.Open(self)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(to+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(to+".tmp", to)
}

// kubectlApply applies a manifest as the user would.
func (c *Cluster) kubectlApply(ctx context.Context, config controlplane.Config, manifest string) error {
	cmd := exec.CommandContext(ctx, config.Programs[toolchain.Kubectl],
		"--kubeconfig", config.AdminKubeconfig(), "apply", "--server-side", "--force-conflicts", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
