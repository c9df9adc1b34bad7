// Package startup lets the operator start while the API server is unavailable: after an
// outage in which it lost its lease, or while the whole cluster starts.
package startup

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

const (
	// pollInterval bounds how late the operator notices that the API server is back.
	pollInterval = time.Second
	// requestTimeout is for an API server that accepts requests and does not respond.
	requestTimeout = 5 * time.Second
)

// AwaitAPIServer returns when the API server is ready, or ctx is done. If the operator
// exited instead, the kubelet would restart it with a backoff of up to five minutes, and
// it would be missing long after the API server is back. Meanwhile probeAddress reports
// that it is alive and not ready; 0 means no probes.
func AwaitAPIServer(ctx context.Context, config *rest.Config, probeAddress string, log logr.Logger) error {
	config = rest.CopyConfig(config)
	config.Timeout = requestTimeout
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	unavailable := checkReady(ctx, client.RESTClient())
	if unavailable == nil {
		return nil
	}
	log.Info("Waiting for the API server", "reason", unavailable.Error())
	stop, err := serveProbes(ctx, probeAddress)
	if err != nil {
		return err
	}
	defer stop()
	return wait.PollUntilContextCancel(ctx, pollInterval, false, func(ctx context.Context) (bool, error) {
		return checkReady(ctx, client.RESTClient()) == nil, nil
	})
}

// checkReady returns an error unless the API server is ready. Where the operator may not
// read /readyz, any response counts as ready.
func checkReady(ctx context.Context, client rest.Interface) error {
	err := client.Get().AbsPath("/readyz").Do(ctx).Error()
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// serveProbes stands in for the probe endpoints of the manager until it runs.
func serveProbes(ctx context.Context, address string) (stop func(), err error) {
	if address == "0" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serving probes: %w", err)
	}
	probes := http.NewServeMux()
	probes.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	probes.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the API server is unavailable", http.StatusServiceUnavailable)
	})
	server := &http.Server{Handler: probes, ReadHeaderTimeout: requestTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		// Serve returns when it is closed; if it fails earlier, so do the probes.
		_ = server.Serve(listener)
	}()
	return func() {
		_ = server.Close()
		<-served
	}, nil
}
