package webhooks

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
)

// Names of the objects in config/default. The operator's permissions for them are in
// config/certificate, separate from those generated from markers: OLM makes the
// certificate itself, and the operator then gets none of these permissions.
const (
	DefaultSecret        = "jobflow-operator-webhook-server-cert" //nolint:gosec // The name of a Secret is not a secret.
	DefaultService       = "jobflow-operator-webhook-service"
	DefaultConfiguration = "jobflow-operator-validating-webhook-configuration"
)

// ServerOptions configure where webhooks are served.
type ServerOptions struct {
	Host string
	Port int
	// CertDir is searched at startup for tls.crt and tls.key, as mounted by OLM or
	// cert-manager. If they are missing, it must be writable.
	CertDir string
}

// CertOptions name the objects that the operator's own certificate involves.
type CertOptions struct {
	// Namespace is the operator's namespace.
	Namespace string
	// Secret holds the CA and the certificate.
	Secret string
	// Service is the name by which the API server calls the webhooks.
	Service string
	// Configuration is the ValidatingWebhookConfiguration that gets the CA.
	Configuration string
}

// Certs are the serving certificates of the webhooks: mounted ones, or else the
// operator's own.
type Certs struct {
	server  ServerOptions
	mounted bool
	// current is the operator's own certificate, which new connections get.
	current atomic.Pointer[tls.Certificate]
	// available is closed when current is first set.
	available chan struct{}
}

// FindCerts decides, once, which certificates are used.
func FindCerts(server ServerOptions) (*Certs, error) {
	crt, err := fileExists(filepath.Join(server.CertDir, corev1.TLSCertKey))
	if err != nil {
		return nil, err
	}
	key, err := fileExists(filepath.Join(server.CertDir, corev1.TLSPrivateKeyKey))
	if err != nil {
		return nil, err
	}
	return &Certs{server: server, mounted: crt && key, available: make(chan struct{})}, nil
}

// Mounted reports whether certificates were mounted. Whoever mounted them also
// renews them and publishes their CA to the API server.
func (c *Certs) Mounted() bool { return c.mounted }

func fileExists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a webhook certificate: %w", err)
	}
	return true, nil
}
