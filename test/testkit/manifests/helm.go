package manifests

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// Helm runs bin/helm, which make builds.
func Helm(ctx context.Context, stdin string, arguments ...string) ([]byte, error) {
	path := repository.Path("bin/helm")
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w; run: make tools", err)
	}
	command := exec.CommandContext(ctx, path, arguments...)
	// Neither a cluster nor the user's settings for Helm may influence the result.
	command.Env = append(os.Environ(), "KUBECONFIG=/dev/null", "HELM_NAMESPACE=", "HELM_PLUGINS=/dev/null",
		// This saves a third of the CPU time: helm exits before it has much garbage.
		"GOGC=400")
	command.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.Bytes(), nil
}
