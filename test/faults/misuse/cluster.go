package misuse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/webhooks"
)

// nodes are what the DaemonJobs run on; nothing needs to run there.
var nodes = []string{"n0", "n1"}

// admissionLabel is on the namespaces that the webhooks see to.
const admissionLabel = "misuse/admission"

// cluster is an API server with our webhooks for some namespaces, and an operator for
// all of them.
type cluster struct {
	client   client.Client
	operator *harness.Operator
	requests requestCount
	stop     []func() error
}

func startCluster(ctx context.Context) (*cluster, error) {
	server, err := harness.StartAPIServer()
	if err != nil {
		return nil, err
	}
	c := &cluster{stop: []func() error{server.Stop}}
	c.client = client.WithFieldValidation(server.Client, metav1.FieldValidationStrict)
	if err := c.start(ctx, server); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *cluster) start(ctx context.Context, server *harness.APIServer) error {
	for _, name := range nodes {
		if err := c.client.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	if err := c.startWebhooks(server); err != nil {
		return err
	}
	var err error
	if c.operator, err = server.StartOperator(harness.OperatorOptions{
		Transport: c.requests.send,
	}); err != nil {
		return err
	}
	c.stop = append(c.stop, c.operator.Stop)
	return nil
}

// Stop stops all that was started, the last first.
func (c *cluster) Stop() error {
	var errs []error
	for _, stop := range slices.Backward(c.stop) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

// startWebhooks serves the operator's own webhooks, and has the API server call them
// for the namespaces with the label.
func (c *cluster) startWebhooks(server *harness.APIServer) error {
	content, err := os.ReadFile(repository.Path("config/webhook/manifests.yaml"))
	if err != nil {
		return err
	}
	configuration := &admissionv1.ValidatingWebhookConfiguration{}
	if err := yaml.UnmarshalStrict(content, configuration); err != nil {
		return err
	}
	for i := range configuration.Webhooks {
		configuration.Webhooks[i].NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{admissionLabel: "on"}}
	}
	options := &envtest.WebhookInstallOptions{ValidatingWebhooks: []*admissionv1.ValidatingWebhookConfiguration{configuration}}
	if err := options.PrepWithoutInstalling(); err != nil {
		return err
	}
	c.stop = append(c.stop, options.Cleanup)
	if err := options.Install(server.Config); err != nil {
		return err
	}

	certs, err := webhooks.FindCerts(webhooks.ServerOptions{
		Host: options.LocalServingHost, Port: options.LocalServingPort, CertDir: options.LocalServingCertDir,
	})
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(server.Config, ctrl.Options{
		Scheme: controllers.NewScheme(), Metrics: metricsserver.Options{BindAddress: "0"}, WebhookServer: certs.Server(nil),
	})
	if err != nil {
		return err
	}
	if err := webhooks.Setup(mgr); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(running) }()
	c.stop = append(c.stop, func() error { cancel(); return <-ended })
	return eventually(time.Minute, func() error { return mgr.GetWebhookServer().StartedChecker()(nil) })
}

// namespace makes a namespace of its own for one trial.
func (c *cluster) namespace(ctx context.Context, admission bool) (string, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "misuse-"}}
	if admission {
		namespace.Labels = map[string]string{admissionLabel: "on"}
	}
	err := c.client.Create(ctx, namespace)
	return namespace.Name, err
}

// requestCount counts the operator's requests by namespace, watches aside.
type requestCount struct {
	mu    sync.Mutex
	count map[string]int
}

func (c *requestCount) send(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if _, rest, found := strings.Cut(r.URL.Path, "/namespaces/"); found && !harness.IsWatch(r) {
		namespace, _, _ := strings.Cut(rest, "/")
		c.mu.Lock()
		if c.count == nil {
			c.count = map[string]int{}
		}
		c.count[namespace]++
		c.mu.Unlock()
	}
	return next.RoundTrip(r)
}

func (c *requestCount) of(namespace string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[namespace]
}

// total is the sum of a metric of this process.
func total(name string) (float64, error) {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() == name {
			for _, metric := range family.GetMetric() {
				sum += metric.GetCounter().GetValue()
			}
		}
	}
	return sum, nil
}

// eventually asks until there is nothing to complain of, and returns the last
// complaint when time runs out.
func eventually(limit time.Duration, ask func() error) error {
	deadline := time.Now().Add(limit)
	ticker := time.NewTicker(25 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s: %w", limit, err)
		}
		<-ticker.C
	}
}
