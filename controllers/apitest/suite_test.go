// Package apitest has the specs of the controllers that meet an API server. They run in
// parallel, each in a namespace of its own, with an operator that sees nothing else:
//
//	go run github.com/onsi/ginkgo/v2/ginkgo run --procs=4 ./controllers/apitest
//
// With USE_EXISTING_CLUSTER=true they use the cluster of KUBECONFIG, so that one of them
// takes a few seconds:
//
//	go test ./controllers/apitest -ginkgo.focus='honours parallelism'
package apitest_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/jobcontroller"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/manager"
)

var (
	apiServer *rest.Config
	k8s       client.WithWatch
	ctx       = context.Background()

	// existingCluster is true if the specs use a running cluster, which has its own
	// controllers and nodes.
	existingCluster = strings.EqualFold(os.Getenv("USE_EXISTING_CLUSTER"), "true")
)

func TestAPI(t *testing.T) {
	log.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(limit.Hang)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	SetDefaultConsistentlyDuration(time.Second)
	RunSpecs(t, "Controllers and the API server")
}

// One API server serves all processes of the suite.
var _ = SynchronizedBeforeSuite(func() []byte {
	environment, err := apiserver.NewEnvironment()
	Expect(err).NotTo(HaveOccurred())
	// Stop also ends what a failed Start has started.
	DeferCleanup(environment.Stop)
	_, err = environment.Start()
	Expect(err).NotTo(HaveOccurred())
	return environment.KubeConfig
}, func(kubeconfig []byte) {
	var err error
	if existingCluster {
		apiServer, err = ctrl.GetConfig()
	} else {
		apiServer, err = clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	}
	Expect(err).NotTo(HaveOccurred())
	apiServer.QPS = -1
	k8s, err = client.NewWithWatch(apiServer, client.Options{Scheme: controllers.NewScheme()})
	Expect(err).NotTo(HaveOccurred())
})

// transport stands between an operator and the API server.
type transport = func(http.RoundTripper) http.RoundTripper

// operator is a running manager, set up as in main.go, except that it sees only one
// namespace: specs run in parallel, and some leave flows that never end.
type operator struct {
	cancel   context.CancelFunc
	done     chan error
	requests *requestCounter
}

// startOperator starts one, with faults between it and the API server if any.
func startOperator(namespace string, faults ...transport) *operator {
	GinkgoHelper()
	return startOperatorWith(namespace, controllers.Options{}, faults...)
}

func startOperatorWith(namespace string, options controllers.Options, faults ...transport) *operator {
	GinkgoHelper()
	return startOperatorLogging(namespace, logr.Logger{}, options, faults...)
}

// startOperatorLogging starts one that logs elsewhere than the suite.
func startOperatorLogging(namespace string, log logr.Logger, options controllers.Options, faults ...transport) *operator {
	GinkgoHelper()
	running, cancel := context.WithCancel(ctx)
	counter := &requestCounter{}
	config := rest.CopyConfig(apiServer)
	config.Wrap(counter.wrap)
	for _, fault := range faults {
		config.Wrap(fault)
	}
	managed := manager.Options(namespace, labels.SelectorFromSet(labels.Set{nodeOfLabel: namespace}))
	managed.Logger = log
	managed.GracefulShutdownTimeout = ptr.To(limit.Hang)
	mgr, err := ctrl.NewManager(config, managed)
	Expect(err).NotTo(HaveOccurred())
	options.Workers = 4
	options.Namespace = namespace
	Expect(controllers.Setup(mgr, options)).To(Succeed())
	o := &operator{cancel: cancel, done: make(chan error, 1), requests: counter}
	go func() { o.done <- mgr.Start(running) }()
	Expect(mgr.GetCache().WaitForCacheSync(running)).To(BeTrue(), "the caches fill")
	return o
}

func (o *operator) stop() {
	GinkgoHelper()
	o.cancel()
	Expect(<-o.done).To(Succeed())
}

// requestCounter counts the requests of an operator, watches aside.
type requestCounter struct {
	mu   sync.Mutex
	list []string
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (c *requestCounter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !strings.Contains(r.URL.RawQuery, "watch=true") {
			c.mu.Lock()
			c.list = append(c.list, r.Method+" "+r.URL.Path)
			c.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

// take is the requests since it was last called.
func (c *requestCounter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// nodeOfLabel is the label of a node that names the namespace whose operator sees it: nodes
// have no namespace, and those of other specs or of the cluster would matter to it.
const nodeOfLabel = "apitest/namespace"

func newNamespace() string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	if existingCluster {
		DeferCleanup(func() { Expect(k8s.Delete(ctx, namespace)).To(Succeed()) })
	}
	return namespace.Name
}

// step returns a step whose Job the spec ends.
func step(name string, dependencies ...string) v1alpha1.FlowStep {
	step := build.Step(name, dependencies...)
	step.JobTemplate = jobSpec()
	return step
}

// jobSpec returns the spec of a Job that the spec itself ends. managedBy keeps the Job
// controller of an existing cluster away.
func jobSpec() *batchv1.JobSpec {
	return build.JobSpec(func(spec *batchv1.JobSpec) {
		if existingCluster {
			spec.ManagedBy = ptr.To("apitest.example.com/spec")
		}
	})
}

// jobNames are the names of the Jobs in a namespace, sorted as the API server does.
func jobNames(namespace string) []string {
	list := &batchv1.JobList{}
	Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

func getJob(namespace, name string) *batchv1.Job {
	job := &batchv1.Job{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, job)).To(Succeed())
	return job
}

// startPod makes the pod that the Job controller, which leaves these Jobs alone, would make.
func startPod(namespace, job string) *corev1.Pod {
	GinkgoHelper()
	owner := getJob(namespace, job)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: job + "-x", Labels: owner.Spec.Template.Labels,
			Finalizers:      []string{batchv1.JobTrackingFinalizer},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: owner.Spec.Template.Spec,
	}
	pod.Spec.SchedulerName = "nobody"
	// Where the cluster makes service accounts, it may not have come to this namespace yet.
	Eventually(func() error { return k8s.Create(ctx, pod) }).Should(Succeed())
	DeferCleanup(func() { change(pod, func(p *corev1.Pod) { p.Finalizers = nil }) })
	return pod
}

// complete and fail do what the Job controller does at the end of a Job.
func complete(namespace, name string) {
	Expect(finish(namespace, name, batchv1.JobComplete, "CompletionsReached", "")).To(Succeed())
}

func fail(namespace, name string) {
	Expect(finish(namespace, name, batchv1.JobFailed, "BackoffLimitExceeded", "Job has reached the specified backoff limit")).To(Succeed())
}

func finish(namespace, name string, end batchv1.JobConditionType, reason, message string) error {
	job := &batchv1.Job{}
	if err := k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, job); err != nil {
		return err
	}
	jobcontroller.End(job, end, reason, message)
	return k8s.Status().Update(ctx, job)
}

// deleteJob deletes a Job as kubectl does.
func deleteJob(namespace, name string) {
	GinkgoHelper()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	err := k8s.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if existingCluster {
		err = client.IgnoreNotFound(err) // its garbage collector may have been first
	}
	Expect(err).NotTo(HaveOccurred())
}

// flowStatus reads a JobFlow's status, for Eventually.
func flowStatus(namespace, name string) func(g Gomega) v1alpha1.JobFlowStatus {
	return func(g Gomega) v1alpha1.JobFlowStatus {
		flow := &v1alpha1.JobFlow{}
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, flow)).To(Succeed())
		return flow.Status
	}
}

func daemonStatus(namespace, name string) func(g Gomega) v1alpha1.DaemonJobStatus {
	return func(g Gomega) v1alpha1.DaemonJobStatus {
		dj := &v1alpha1.DaemonJob{}
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, dj)).To(Succeed())
		return dj.Status
	}
}

// phases are the phases of runs by name, with the reason where there is one.
func phases(runs []v1alpha1.RunStatus) map[string]string {
	found := map[string]string{}
	for i := range runs {
		found[runs[i].Name] = string(runs[i].Phase)
		if runs[i].Reason != "" {
			found[runs[i].Name] += "/" + runs[i].Reason
		}
	}
	return found
}

func flowPhases(namespace, name string) func(g Gomega) map[string]string {
	return func(g Gomega) map[string]string { return phases(flowStatus(namespace, name)(g).Flows) }
}

func nodePhases(namespace, name string) func(g Gomega) map[string]string {
	return func(g Gomega) map[string]string { return phases(daemonStatus(namespace, name)(g).Nodes) }
}

func flowState(namespace, name string) func(g Gomega) v1alpha1.State {
	return func(g Gomega) v1alpha1.State { return flowStatus(namespace, name)(g).State }
}

func daemonState(namespace, name string) func(g Gomega) v1alpha1.State {
	return func(g Gomega) v1alpha1.State { return daemonStatus(namespace, name)(g).State }
}

// change updates an object, whatever else writes it meanwhile.
func change[T client.Object](object T, edit func(T)) {
	Eventually(func() error {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		edit(object)
		return k8s.Update(ctx, object)
	}).Should(Succeed())
}

// eventReasons are the reasons of the events about an object.
func eventReasons(namespace, name string) []string {
	list := &corev1.EventList{}
	Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
	var reasons []string
	for i := range list.Items {
		if list.Items[i].InvolvedObject.Name == name {
			reasons = append(reasons, list.Items[i].Reason)
		}
	}
	return reasons
}
