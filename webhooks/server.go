package webhooks

import (
	"context"
	"crypto/tls"
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// Server returns a webhook server that uses the certificates. It can be started at
// once; with the operator's own certificate it listens as soon as there is one. The
// caller closes stopping some time before it stops the server, which from then on closes
// each connection after its response. A nil channel turns that off.
func (c *Certs) Server(stopping <-chan struct{}) webhook.Server {
	options := webhook.Options{Host: c.server.Host, Port: c.server.Port, CertDir: c.server.CertDir}
	if c.mounted {
		return &drainingServer{Server: webhook.NewServer(options), stopping: stopping}
	}
	options.TLSOpts = []func(*tls.Config){func(config *tls.Config) {
		config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }
	}}
	return &drainingServer{Server: &waitingServer{Server: webhook.NewServer(options), ready: c.available}, stopping: stopping}
}

// waitingServer starts once there is a certificate. Until then nothing listens, and its
// StartedChecker fails.
type waitingServer struct {
	webhook.Server
	ready <-chan struct{}
}

// Start implements manager.Runnable.
func (s *waitingServer) Start(ctx context.Context) error {
	select {
	case <-s.ready:
		return s.Server.Start(ctx)
	case <-ctx.Done():
		return nil
	}
}

// drainingServer closes each connection after its response once the operator is
// stopping. The API server reuses connections, and a request that it writes to one just
// as the server stops is lost; a new connection goes to a pod that stays.
type drainingServer struct {
	webhook.Server
	stopping <-chan struct{}
}

// Register implements webhook.Server.
func (s *drainingServer) Register(path string, hook http.Handler) {
	s.Server.Register(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.stopping:
			w.Header().Set("Connection", "close")
		default:
		}
		hook.ServeHTTP(w, r)
	}))
}
