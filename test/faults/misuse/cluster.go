package misuse

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/operator"
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
}

// startCluster starts them for as long as the test lasts.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	server, err := harness.StartAPIServer()
	must(t, err)
	t.Cleanup(func() { must(t, server.Stop()) })
	c := &cluster{client: client.WithFieldValidation(server.Client, metav1.FieldValidationStrict)}
	for _, name := range nodes {
		must(t, c.client.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	startWebhooks(t, server)
	c.operator, err = server.StartOperator(harness.OperatorOptions{Transport: c.requests.send})
	must(t, err)
	t.Cleanup(func() { must(t, c.operator.Stop()) })
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startWebhooks serves the operator's own webhooks, and has the API server call them
// for the namespaces with the label.
func startWebhooks(t *testing.T, server *harness.APIServer) {
	t.Helper()
	configuration := manifests.Only[admissionv1.ValidatingWebhookConfiguration](t,
		manifests.LoadObjects(t, "config/webhook/manifests.yaml"), "ValidatingWebhookConfiguration")
	for i := range configuration.Webhooks {
		configuration.Webhooks[i].NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{admissionLabel: "on"}}
	}
	options := &envtest.WebhookInstallOptions{ValidatingWebhooks: []*admissionv1.ValidatingWebhookConfiguration{&configuration}}
	must(t, options.PrepWithoutInstalling())
	t.Cleanup(func() { must(t, options.Cleanup()) })
	must(t, options.Install(server.Config))

	certs, err := webhooks.FindCerts(webhooks.ServerOptions{
		Host: options.LocalServingHost, Port: options.LocalServingPort, CertDir: options.LocalServingCertDir,
	})
	must(t, err)
	mgr, err := ctrl.NewManager(server.Config, ctrl.Options{
		Scheme: controllers.NewScheme(), Metrics: metricsserver.Options{BindAddress: "0"}, WebhookServer: certs.Server(nil),
	})
	must(t, err)
	must(t, webhooks.Setup(mgr))
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(running) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
	must(t, eventually(time.Minute, func() error { return mgr.GetWebhookServer().StartedChecker()(nil) }))
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
	found := operator.Metrics{}
	for _, family := range families {
		found[family.GetName()] = family
	}
	return found.Sum(name, nil), nil
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
