package webhooks

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// Names of the objects in config/default. What the operator may do with them is in
// config/certificate, apart from the markers that make its other permissions: under
// OLM, which makes the certificate, it may do none of that.
const (
	DefaultSecret        = "jobflow-operator-webhook-server-cert" //nolint:gosec // The name of a Secret is none.
	DefaultService       = "jobflow-operator-webhook-service"
	DefaultConfiguration = "jobflow-operator-validating-webhook-configuration"
)

// ServerOptions say where webhooks are served.
type ServerOptions struct {
	Host string
	Port int
	// CertDir is looked into at start for tls.crt and tls.key, as OLM or
	// cert-manager mount them. Without them it has to be writable.
	CertDir string
}

// CertOptions name the objects that the operator's own certificates are about.
type CertOptions struct {
	// Namespace is the operator's own.
	Namespace string
	// Secret holds the CA and the certificate.
	Secret string
	// Service is the name by which the API server calls the webhooks.
	Service string
	// Configuration is the ValidatingWebhookConfiguration that gets the CA.
	Configuration string
}

// Certs are the serving certificates of the webhooks: those that were mounted, or
// else the operator's own.
type Certs struct {
	server  ServerOptions
	mounted bool
	// serving is the certificate that new connections get; of the operator's own.
	serving atomic.Pointer[tls.Certificate]
	// first is closed as soon as there is one.
	first chan struct{}
}

// FindCerts decides, once, whose certificates are used.
func FindCerts(server ServerOptions) (*Certs, error) {
	crt, err := exists(filepath.Join(server.CertDir, corev1.TLSCertKey))
	if err != nil {
		return nil, err
	}
	key, err := exists(filepath.Join(server.CertDir, corev1.TLSPrivateKeyKey))
	if err != nil {
		return nil, err
	}
	return &Certs{server: server, mounted: crt && key, first: make(chan struct{})}, nil
}

// Mounted says that certificates were mounted, which whoever mounted them also
// renews and announces to the API server.
func (c *Certs) Mounted() bool { return c.mounted }

// Server serves webhooks with the certificates. It can be started at once; with
// the operator's own certificates it listens as soon as there is one. Once told is closed,
// which is before it ends, it closes each connection with the answer; nil is for never.
func (c *Certs) Server(told <-chan struct{}) webhook.Server {
	options := webhook.Options{Host: c.server.Host, Port: c.server.Port, CertDir: c.server.CertDir}
	if c.mounted {
		return &leavingServer{Server: webhook.NewServer(options), told: told}
	}
	options.TLSOpts = []func(*tls.Config){func(config *tls.Config) {
		config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.serving.Load(), nil }
	}}
	return &leavingServer{Server: &waitingServer{Server: webhook.NewServer(options), until: c.first}, told: told}
}

// Manage adds to the manager what makes and renews the operator's own
// certificates. Every replica may do so: they write the same Secret, and a
// conflict makes the second take what the first wrote. It must not be called when
// certificates were mounted.
func (c *Certs) Manage(ctx context.Context, mgr ctrl.Manager, options CertOptions) error {
	secret := types.NamespacedName{Namespace: options.Namespace, Name: options.Secret}
	if err := ensureSecret(ctx, mgr, secret); err != nil {
		return err
	}
	// Not CertDir itself: it may outlive this container, and the next one would take
	// what it finds there for mounted.
	dir := filepath.Join(c.server.CertDir, "self-managed")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making room for the webhook certificate: %w", err)
	}
	if err := c.follow(ctx, mgr, secret, dir); err != nil {
		return err
	}
	host := options.Service + "." + options.Namespace + ".svc"
	return rotator.AddRotator(byName{Manager: mgr, names: map[string]string{
		"secrets":                         options.Secret,
		"validatingwebhookconfigurations": options.Configuration,
	}}, &rotator.CertRotator{
		SecretKey:      secret,
		CertDir:        dir,
		CAName:         "jobflow-operator-ca",
		CAOrganization: "jobflow-operator",
		DNSName:        host,
		ExtraDNSNames:  []string{host + ".cluster.local"},
		IsReady:        make(chan struct{}),
		Webhooks:       []rotator.WebhookInfo{{Name: options.Configuration, Type: rotator.Validating}},
	})
}

// byName is a manager whose configuration lists and watches some resources by the name
// of one object only. The rotator reads them without a name, for which the operator
// would need permission to read every Secret of its namespace; and it has no setting
// for that, but takes the configuration of its cache from the manager.
type byName struct {
	ctrl.Manager
	names map[string]string
}

// GetConfig implements manager.Manager.
func (m byName) GetConfig() *rest.Config {
	config := rest.CopyConfig(m.Manager.GetConfig())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return selectName{next: next, names: m.names} })
	return config
}

type selectName struct {
	next  http.RoundTripper
	names map[string]string
}

// RoundTrip implements http.RoundTripper.
func (s selectName) RoundTrip(request *http.Request) (*http.Response, error) {
	if name, ok := s.names[path.Base(request.URL.Path)]; ok && request.Method == http.MethodGet {
		request = request.Clone(request.Context())
		query := request.URL.Query()
		query.Set("fieldSelector", fields.OneTermEqualSelector(metav1.ObjectNameField, name).String())
		request.URL.RawQuery = query.Encode()
	}
	return s.next.RoundTrip(request)
}

// ensureSecret creates the Secret where it is missing: the rotator only fills one
// that is there, and gives up without it.
func ensureSecret(ctx context.Context, mgr ctrl.Manager, key types.NamespacedName) error {
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return fmt.Errorf("making a client for the webhook certificate: %w", err)
	}
	secret := &corev1.Secret{}
	err = direct.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		secret.ObjectMeta = metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}
		err = direct.Create(ctx, secret)
		if apierrors.IsAlreadyExists(err) {
			return nil // another replica was faster
		}
	}
	if err != nil {
		return fmt.Errorf("looking for the Secret %s of the webhook certificate: %w", key, err)
	}
	return nil
}

// follow serves with whatever certificate the Secret holds, now and after every
// renewal. It watches the Secret instead of having the kubelet mount it, which
// takes up to a minute and a half to bring a change.
func (c *Certs) follow(ctx context.Context, mgr ctrl.Manager, key types.NamespacedName, dir string) error {
	log := logf.Log.WithName("webhook-certificate")
	secrets, err := cache.New(mgr.GetConfig(), cache.Options{
		HTTPClient: mgr.GetHTTPClient(),
		Scheme:     mgr.GetScheme(),
		Mapper:     mgr.GetRESTMapper(),
		ByObject: map[client.Object]cache.ByObject{&corev1.Secret{}: {Namespaces: map[string]cache.Config{
			key.Namespace: {FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name)},
		}}},
	})
	if err != nil {
		return fmt.Errorf("making a cache for the webhook certificate: %w", err)
	}
	informer, err := secrets.GetInformer(ctx, &corev1.Secret{}, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watching the webhook certificate: %w", err)
	}
	take := func(obj any) {
		if secret, ok := obj.(*corev1.Secret); ok {
			if err := c.take(secret, dir); err != nil {
				log.Error(err, "Cannot serve with the certificate of the Secret", "secret", key)
			}
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    take,
		UpdateFunc: func(_, obj any) { take(obj) },
	})
	if err != nil {
		return fmt.Errorf("watching the webhook certificate: %w", err)
	}
	return mgr.Add(everyReplica{secrets})
}

// take serves with the certificate of the Secret. The informer calls it from one
// goroutine.
func (c *Certs) take(secret *corev1.Secret, dir string) error {
	crt, key := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]
	if len(crt) == 0 || len(key) == 0 {
		return nil // not filled yet
	}
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	if serving := c.serving.Load(); serving != nil && bytes.Equal(serving.Certificate[0], pair.Certificate[0]) {
		return nil
	}
	// The key stays in memory. The rotator only looks whether the certificate's file
	// is there, and stops the manager if it never comes.
	if err := os.WriteFile(filepath.Join(dir, corev1.TLSCertKey), crt, 0o600); err != nil {
		return fmt.Errorf("writing the certificate: %w", err)
	}
	if c.serving.Swap(&pair) == nil {
		close(c.first)
	}
	return nil
}

// waitingServer starts once there is a certificate. Until then nothing listens,
// and its StartedChecker says so.
type waitingServer struct {
	webhook.Server
	until <-chan struct{}
}

// Start implements manager.Runnable.
func (s *waitingServer) Start(ctx context.Context) error {
	select {
	case <-s.until:
		return s.Server.Start(ctx)
	case <-ctx.Done():
		return nil
	}
}

// leavingServer closes each connection with the answer once it is told to end. The API
// server keeps connections, and a request that it writes to one just as the server ends is
// lost; a new connection leads to a pod that stays.
type leavingServer struct {
	webhook.Server
	told <-chan struct{}
}

// Register implements webhook.Server.
func (s *leavingServer) Register(path string, hook http.Handler) {
	s.Server.Register(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.told:
			w.Header().Set("Connection", "close")
		default:
		}
		hook.ServeHTTP(w, r)
	}))
}

// everyReplica has the manager run a cache whether it leads or not.
type everyReplica struct{ cache.Cache }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (everyReplica) NeedLeaderElection() bool { return false }

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a webhook certificate: %w", err)
	}
	return true, nil
}
