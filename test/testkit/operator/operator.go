// Package operator runs the operator's program as a process, and reads its metrics and its use
// of CPU and memory.
package operator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/port"
)

// Program returns the path of the operator's program. All tests run the program that make
// built, which is the one that ships.
func Program() (string, error) {
	if path := os.Getenv("OPERATOR"); path != "" {
		return path, nil
	}
	return "", errors.New("OPERATOR is not set: make test sets it, and so does: make build && export OPERATOR=$PWD/bin/manager")
}

// Options defines how to run the operator.
type Options struct {
	// Program is the path of the program; by default the one that the function Program returns.
	Program    string
	Kubeconfig string
	// CertDir is the directory of the webhooks' certificate. If it is empty, webhooks are disabled.
	CertDir string
	// SecureMetrics serves metrics over HTTPS, to clients that the API server authorizes.
	SecureMetrics bool
	// Args has more arguments, Env more environment variables.
	Args, Env []string
	// Log receives the operator's output.
	Log io.Writer
}

// Process is an operator that was started.
type Process struct {
	// Metrics and Webhooks are the URLs of its endpoints.
	Metrics, Webhooks string
	// Client trusts any certificate: tests of certificates are in webhooks/.
	Client *http.Client

	probes string
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error // of Wait; set once ended is closed
}

// Start starts the operator on free ports, with no delay at shutdown.
func Start(o Options) (*Process, error) {
	if o.Program == "" {
		program, err := Program()
		if err != nil {
			return nil, err
		}
		o.Program = program
	}
	var ports [3]int
	for i := range ports {
		var err error
		if ports[i], err = port.Free(); err != nil {
			return nil, err
		}
	}
	metrics, probes := fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("127.0.0.1:%d", ports[1])
	p := &Process{
		Metrics:  "http://" + metrics + "/metrics",
		probes:   "http://" + probes,
		Webhooks: fmt.Sprintf("https://127.0.0.1:%d", ports[2]),
		Client: &http.Client{Timeout: limit.Hang, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // See the field.
		}},
		ended: make(chan struct{}),
	}
	args := []string{
		"--kubeconfig", o.Kubeconfig,
		"--metrics-bind-address", metrics, fmt.Sprintf("--metrics-secure=%t", o.SecureMetrics),
		"--health-probe-bind-address", probes,
		"--shutdown-delay-duration=0",
	}
	if o.SecureMetrics {
		p.Metrics = "https://" + metrics + "/metrics"
	}
	if o.CertDir == "" {
		args = append(args, "--enable-webhooks=false")
	} else {
		args = append(args, "--webhook-port", fmt.Sprint(ports[2]), "--webhook-cert-dir", o.CertDir)
	}
	p.cmd = exec.Command(o.Program, append(args, o.Args...)...)
	p.cmd.Env = append(os.Environ(), o.Env...)
	p.cmd.Stdout, p.cmd.Stderr = o.Log, o.Log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the operator: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// StartLogged starts the operator, writes its output to the file log, and waits until ready
// returns true for its metrics.
func StartLogged(ctx context.Context, o Options, log string, ready func(Metrics) bool) (*Process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // The operator has its own file descriptor.
	o.Log = file
	p, err := Start(o)
	if err != nil {
		return nil, err
	}
	// The benchmark's operator first lists thousands of objects, on a machine that is busy.
	const longest = 5 * time.Minute
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, longest, true, func(ctx context.Context) (bool, error) {
		metrics, err := p.Scrape(ctx, "")
		if err == nil {
			return ready(metrics), nil
		}
		select {
		case <-p.ended:
			return false, err
		default:
			return false, nil // It does not serve metrics yet.
		}
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the operator is not ready: %w; its log is %s", err, log), p.Stop())
	}
	return p, nil
}

// Ended is closed when the operator has ended, by itself or by Stop.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Stop ends the operator with SIGTERM, as the kubelet does. It returns nil if the operator exited
// with 0.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if the operator has ended
	select {
	case <-p.ended:
		return p.err
	case <-time.After(limit.Hang):
		return errors.Join(fmt.Errorf("the operator was killed: it did not end within %s", limit.Hang), p.cmd.Process.Kill())
	}
}

// Ready reports whether the readiness probe of the operator succeeds.
func (p *Process) Ready() bool {
	response, err := p.Client.Get(p.probes + "/readyz")
	if err != nil {
		return false
	}
	defer response.Body.Close() //nolint:errcheck // Only the status code is needed.
	return response.StatusCode == http.StatusOK
}

// Get requests the metrics endpoint. If token is not empty, it authenticates with it.
func (p *Process) Get(ctx context.Context, token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Metrics, http.NoBody)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return p.Client.Do(request)
}
