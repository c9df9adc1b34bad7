package webhooks

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"

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
)

// Manage makes the manager create and renew the operator's own certificate. Every
// replica may do so: all write the same Secret, and a replica whose write conflicts
// takes what the other one wrote. It must not be called if certificates were mounted.
func (c *Certs) Manage(ctx context.Context, mgr ctrl.Manager, options CertOptions) error {
	secret := types.NamespacedName{Namespace: options.Namespace, Name: options.Secret}
	if err := ensureSecret(ctx, mgr, secret); err != nil {
		return err
	}
	// Not CertDir itself: it may outlive this container, and the next one would take
	// the files in it for mounted certificates.
	dir := filepath.Join(c.server.CertDir, "self-managed")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("creating the directory of the webhook certificate: %w", err)
	}
	if err := c.watchSecret(ctx, mgr, secret, dir); err != nil {
		return err
	}
	host := options.Service + "." + options.Namespace + ".svc"
	return rotator.AddRotator(nameLimitedManager{Manager: mgr, names: map[string]string{
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

// nameLimitedManager is a manager whose configuration limits reads of some resources to
// one object each. The rotator lists and watches without a name, for which the operator
// would need permission to read every Secret of its namespace. It has no setting for
// that, but it takes the configuration of its cache from the manager.
type nameLimitedManager struct {
	ctrl.Manager
	names map[string]string
}

// GetConfig implements manager.Manager.
func (m nameLimitedManager) GetConfig() *rest.Config {
	config := rest.CopyConfig(m.Manager.GetConfig())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return nameSelector{next: next, names: m.names} })
	return config
}

type nameSelector struct {
	next  http.RoundTripper
	names map[string]string
}

// RoundTrip implements http.RoundTripper.
func (s nameSelector) RoundTrip(request *http.Request) (*http.Response, error) {
	if name, ok := s.names[path.Base(request.URL.Path)]; ok && request.Method == http.MethodGet {
		request = request.Clone(request.Context())
		query := request.URL.Query()
		query.Set("fieldSelector", fields.OneTermEqualSelector(metav1.ObjectNameField, name).String())
		request.URL.RawQuery = query.Encode()
	}
	return s.next.RoundTrip(request)
}

// ensureSecret creates the Secret if it is missing: the rotator only fills an existing
// one, and gives up without it.
func ensureSecret(ctx context.Context, mgr ctrl.Manager, key types.NamespacedName) error {
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return fmt.Errorf("creating a client for the webhook certificate: %w", err)
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
		return fmt.Errorf("getting or creating Secret %s of the webhook certificate: %w", key, err)
	}
	return nil
}

// watchSecret serves the certificate in the Secret, now and after every renewal. The
// kubelet, if it mounted the Secret, would take up to a minute and a half to bring a
// change.
func (c *Certs) watchSecret(ctx context.Context, mgr ctrl.Manager, key types.NamespacedName, dir string) error {
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
		return fmt.Errorf("creating a cache for the webhook certificate: %w", err)
	}
	informer, err := secrets.GetInformer(ctx, &corev1.Secret{}, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watching the webhook certificate: %w", err)
	}
	load := func(obj any) {
		if secret, ok := obj.(*corev1.Secret); ok {
			if err := c.load(secret, dir); err != nil {
				log.Error(err, "Cannot serve the certificate of the Secret", "secret", key)
			}
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    load,
		UpdateFunc: func(_, obj any) { load(obj) },
	})
	if err != nil {
		return fmt.Errorf("watching the webhook certificate: %w", err)
	}
	return mgr.Add(everyReplica{secrets})
}

// load starts serving the certificate of the Secret. The informer calls it from one
// goroutine.
func (c *Certs) load(secret *corev1.Secret, dir string) error {
	crt, key := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]
	if len(crt) == 0 || len(key) == 0 {
		return nil // not filled yet
	}
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	if current := c.current.Load(); current != nil && bytes.Equal(current.Certificate[0], pair.Certificate[0]) {
		return nil
	}
	// The key stays in memory. The rotator only checks that the certificate's file
	// exists, and stops the manager if it never appears.
	if err := os.WriteFile(filepath.Join(dir, corev1.TLSCertKey), crt, 0o600); err != nil {
		return fmt.Errorf("writing the certificate: %w", err)
	}
	if c.current.Swap(&pair) == nil {
		close(c.available)
	}
	return nil
}

// everyReplica is a cache that the manager runs with or without leadership.
type everyReplica struct{ cache.Cache }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (everyReplica) NeedLeaderElection() bool { return false }
