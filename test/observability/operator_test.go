package observability_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/cert"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

const (
	namespace = "default"
	patience  = 30 * time.Second
)

// operator is a process of it, at a real API server.
type operator struct {
	k8s    client.Client
	url    string
	reader string // token of one who may read metrics
}

func startOperator(t *testing.T) *operator {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run these tests with make test-observability, which builds kube-apiserver and etcd")
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		must(t, add(scheme))
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error("stopping the API server:", err)
		}
	})
	config, err := environment.Start()
	must(t, err)
	k8s, err := client.New(config, client.Options{Scheme: scheme})
	must(t, err)
	user, err := environment.AddUser(envtest.User{Name: "operator", Groups: []string{"system:masters"}}, nil)
	must(t, err)
	kubeconfig, err := user.KubeConfig()
	must(t, err)

	dir := t.TempDir()
	certificate, key, err := cert.GenerateSelfSignedCertKey("localhost", nil, nil)
	must(t, err)
	for name, content := range map[string][]byte{"kubeconfig": kubeconfig, "tls.crt": certificate, "tls.key": key} {
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	ports := freePorts(t, 3)
	o := &operator{k8s: k8s, url: fmt.Sprintf("https://127.0.0.1:%d/metrics", ports[0])}
	o.run(t, dir,
		"--kubeconfig", filepath.Join(dir, "kubeconfig"),
		"--leader-elect", "--namespace", namespace,
		"--metrics-bind-address", fmt.Sprintf("127.0.0.1:%d", ports[0]),
		"--health-probe-bind-address", fmt.Sprintf("127.0.0.1:%d", ports[1]),
		"--webhook-port", fmt.Sprint(ports[2]), "--webhook-cert-dir", dir)
	o.reader = o.token(t, "reader")
	o.mayReadMetrics(t, "reader")
	return o
}

// run builds the operator and runs it until the test ends.
func (o *operator) run(t *testing.T, dir string, args ...string) {
	t.Helper()
	binary := filepath.Join(dir, "manager")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the operator: %s\n%s", err, output)
	}
	logs, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	process := exec.Command(binary, args...)
	process.Stdout, process.Stderr = logs, logs
	must(t, process.Start())
	t.Cleanup(func() {
		if err := process.Process.Signal(os.Interrupt); err != nil {
			t.Error("stopping the operator:", err)
		}
		if err := process.Wait(); err != nil {
			t.Error("the operator ended with", err)
		}
		must(t, logs.Close())
		if t.Failed() {
			content, err := os.ReadFile(logs.Name())
			t.Logf("the operator's log (%v):\n%s", err, content)
		}
	})
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		// All are held until the last is found, or one would be found twice.
		defer listener.Close() //nolint:errcheck // It listened, which is all.
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// token is one of a service account that is made for it.
func (o *operator) token(t *testing.T, name string) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	must(t, o.k8s.Create(t.Context(), account))
	request := &authenticationv1.TokenRequest{}
	must(t, o.k8s.SubResource("token").Create(t.Context(), account, request))
	return request.Status.Token
}

// mayReadMetrics binds a service account to the role that config/rbac has for it.
func (o *operator) mayReadMetrics(t *testing.T, account string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "config", "rbac", "metrics_reader_role.yaml"))
	must(t, err)
	role := &rbacv1.ClusterRole{}
	must(t, yaml.UnmarshalStrict(content, role))
	must(t, o.k8s.Create(t.Context(), role))
	must(t, o.k8s.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: account},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
	}))
}

// get is what the operator answers to one who asks for metrics with a token.
func (o *operator) get(ctx context.Context, token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	insecure := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true} //nolint:gosec // As the ServiceMonitor has it.
	return (&http.Client{Transport: insecure}).Do(request)
}

func (o *operator) scrape(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := o.tryScrape(t.Context())
	must(t, err)
	return families
}

func (o *operator) tryScrape(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	response, err := o.get(ctx, o.reader)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // It was read to its end.
	if response.StatusCode != http.StatusOK {
		body, err := io.ReadAll(response.Body)
		return nil, fmt.Errorf("%s: %s (%w)", response.Status, body, err)
	}
	text := expfmt.NewTextParser(model.LegacyValidation)
	return text.TextToMetricFamilies(response.Body)
}

// runEverything gives the operator one of each to do, and waits until its metrics
// say so: a flow that Fails, one that lacks its JobTemplate, one whose Job a webhook
// refuses that is down, and a DaemonJob without a node.
func (o *operator) runEverything(t *testing.T) {
	t.Helper()
	must(t, o.k8s.Create(t.Context(), brokenWebhook()))
	template := &v1alpha1.JobTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "there"}}
	template.Spec.JobTemplate = jobSpec()
	must(t, o.k8s.Create(t.Context(), template))
	refused := makeFlow("refused", v1alpha1.FlowStep{Name: "a", JobTemplate: ptr.To(jobSpec())})
	refused.Spec.GlobalParams = &v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Labels: map[string]string{"refuse": "yes"}}}
	for _, flow := range []*v1alpha1.JobFlow{
		makeFlow("fails", v1alpha1.FlowStep{Name: "a", JobTemplateRef: "there"}),
		makeFlow("lacks", v1alpha1.FlowStep{Name: "a", JobTemplateRef: "missing"}),
		refused,
	} {
		must(t, o.k8s.Create(t.Context(), flow))
	}
	must(t, o.k8s.Create(t.Context(), &v1alpha1.DaemonJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "nowhere"},
		Spec:       v1alpha1.DaemonJobSpec{JobSpec: jobSpec()},
	}))

	o.failJob(t, "fails")
	for name, labels := range map[string]map[string]string{
		"jobflow_runs_started_total":     {"kind": "JobFlow"},
		"jobflow_runs_finished_total":    {"kind": "JobFlow", "result": "Failed"},
		"jobflow_finished_total":         {"kind": "JobFlow", "state": "Failed"},
		"jobflow_objects":                {"kind": "JobFlow", "state": "Failed"},
		"jobflow_waiting_runs":           {"kind": "JobFlow", "reason": "JobTemplateMissing"},
		"jobflow_stalled_objects":        {"kind": "JobFlow", "reason": "CreateFailed"},
		"jobflow_stalled_seconds":        {"kind": "DaemonJob", "reason": "NoEligibleNode"},
		"jobflow_reconcile_errors_total": {"kind": "JobFlow", "reason": "InternalError"},
		"leader_election_master_status":  {"name": "jobflow-operator.api.practice.com"},
		"jobflow_build_info":             {},
	} {
		o.eventually(t, name, func(families map[string]*dto.MetricFamily) bool { return value(families, name, labels) > 0 })
	}
}

// failJob is what the Job controller does; no other runs here.
func (o *operator) failJob(t *testing.T, flow string) {
	t.Helper()
	job := &batchv1.Job{}
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := o.k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: flow + "-a"}, job)
		return err == nil, client.IgnoreNotFound(err)
	})
	must(t, err)
	now := metav1.Now()
	job.Status.StartTime, job.Status.Failed = &now, 1
	for _, kind := range []batchv1.JobConditionType{batchv1.JobFailureTarget, batchv1.JobFailed} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", LastProbeTime: now, LastTransitionTime: now,
		})
	}
	must(t, o.k8s.Status().Update(t.Context(), job))
}

func (o *operator) eventually(t *testing.T, what string, is func(map[string]*dto.MetricFamily) bool) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		families, err := o.tryScrape(ctx)
		last = err
		return err == nil && is(families), nil
	})
	if err != nil {
		t.Fatalf("%s: %v (%v)", what, err, last)
	}
}

func brokenWebhook() *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "broken"},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:                    "broken.example.com",
			ObjectSelector:          &metav1.LabelSelector{MatchLabels: map[string]string{"refuse": "yes"}},
			ClientConfig:            admissionregistrationv1.WebhookClientConfig{URL: ptr.To("https://127.0.0.1:1/")},
			AdmissionReviewVersions: []string{"v1"},
			SideEffects:             ptr.To(admissionregistrationv1.SideEffectClassNone),
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{"batch"}, APIVersions: []string{"v1"}, Resources: []string{"jobs"}},
			}},
		}},
	}
}

func makeFlow(name string, steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return &v1alpha1.JobFlow{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.JobFlowSpec{Flows: steps},
	}
}

func jobSpec() batchv1.JobSpec {
	return batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "main", Image: "busybox:1.28", Command: []string{"true"}}},
	}}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
