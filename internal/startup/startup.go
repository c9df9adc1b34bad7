// Package startup is about an operator that is started when the API server is away:
// after an outage in which it lost its lease, or with a whole cluster that comes up.
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
	// askEvery is how late the operator may notice that the API server is back.
	askEvery = time.Second
	// answerWithin is how long one that hangs is waited for.
	answerWithin = 5 * time.Second
)

// AwaitAPIServer returns when the API server is ready, or ctx is done. An operator that
// ends instead is started again later and later, by a kubelet that waits up to five
// minutes, and is away long after the API server is back. Meanwhile it says at
// probeAddress that it lives and is not ready; 0 is for no probes.
func AwaitAPIServer(ctx context.Context, config *rest.Config, probeAddress string, log logr.Logger) error {
	config = rest.CopyConfig(config)
	config.Timeout = answerWithin
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	away := unready(ctx, client.RESTClient())
	if away == nil {
		return nil
	}
	log.Info("Waiting for the API server", "reason", away.Error())
	stop, err := answerProbes(ctx, probeAddress)
	if err != nil {
		return err
	}
	defer stop()
	return wait.PollUntilContextCancel(ctx, askEvery, false, func(ctx context.Context) (bool, error) {
		return unready(ctx, client.RESTClient()) == nil, nil
	})
}

// unready is why the API server is not to be counted on, or nil. Where people have
// forbidden the question, it has answered at least.
func unready(ctx context.Context, client rest.Interface) error {
	err := client.Get().AbsPath("/readyz").Do(ctx).Error()
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// answerProbes serves what the manager serves once it runs.
func answerProbes(ctx context.Context, address string) (stop func(), err error) {
	if address == "0" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("answering probes: %w", err)
	}
	probes := http.NewServeMux()
	probes.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	probes.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the API server is away", http.StatusServiceUnavailable)
	})
	server := &http.Server{Handler: probes, ReadHeaderTimeout: answerWithin}
	served := make(chan struct{})
	go func() {
		defer close(served)
		// It ends when it is closed, and else a probe fails, which says it all.
		_ = server.Serve(listener)
	}()
	return func() {
		_ = server.Close()
		<-served
	}, nil
}
