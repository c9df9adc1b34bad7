package webhooks_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
	"github.com/jobflow-operator/jobflow-operator/webhooks"
)

var (
	ctx         context.Context
	environment *envtest.Environment
	apiServer   *rest.Config
	// k8s checks fields strictly, as kubectl does.
	k8s      client.Client
	warnings *warningLog
)

func TestWebhooks(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(limit.Hang)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Webhooks")
}

var _ = BeforeSuite(func() {
	logf.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))

	ctx = context.Background()
	var err error
	environment, err = apiserver.NewEnvironment()
	Expect(err).NotTo(HaveOccurred())
	environment.WebhookInstallOptions.Paths = []string{filepath.Join("..", "config", "webhook", "manifests.yaml")}
	apiServer, err = environment.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(environment.Stop()).To(Succeed()) })

	scheme := controllers.NewScheme()
	warnings = &warningLog{}
	config := rest.CopyConfig(apiServer)
	config.WarningHandler = warnings
	direct, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	k8s = client.WithFieldValidation(direct, metav1.FieldValidationStrict)

	serve(scheme)
})

// serve runs the webhooks with the certificate that envtest wrote, as if it were mounted.
func serve(scheme *runtime.Scheme) {
	options := &environment.WebhookInstallOptions
	certs, err := webhooks.FindCerts(webhooks.ServerOptions{
		Host: options.LocalServingHost, Port: options.LocalServingPort, CertDir: options.LocalServingCertDir,
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(certs.Mounted()).To(BeTrue(), "the certificate in the directory must be found")
	mgr, err := ctrl.NewManager(apiServer, ctrl.Options{
		Scheme:        scheme,
		Metrics:       metricsserver.Options{BindAddress: "0"},
		WebhookServer: certs.Server(ctx.Done()),
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(webhooks.Setup(mgr)).To(Succeed())
	started := mgr.GetWebhookServer().StartedChecker()
	Expect(started(nil)).NotTo(Succeed(), "a server that is not started must not be ready")

	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	DeferCleanup(func() {
		cancel()
		Eventually(done).Should(Receive(BeNil()))
	})
	Eventually(func() error { return started(nil) }).Should(Succeed())
}

// warningLog keeps the warnings that the API server sends.
type warningLog struct {
	mu   sync.Mutex
	list []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warningLog) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, text)
}

// take returns the warnings since its last call.
func (w *warningLog) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.list
	w.list = nil
	return list
}

func newNamespace() string {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	return namespace.Name
}

// object is what kubectl would send for this YAML.
func object(namespace, text string) *unstructured.Unstructured {
	GinkgoHelper()
	obj := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(text), &obj.Object)).To(Succeed())
	obj.SetNamespace(namespace)
	return obj
}
