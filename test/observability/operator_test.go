package observability_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	batchv1 "k8s.io/api/batch/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/jobcontroller"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/operator"
)

const namespace = "default"

// world is an operator at a real API server.
type world struct {
	*operator.Process
	k8s    client.Client
	reader string // token of one who may read metrics
}

func startWorld(t *testing.T) *world {
	t.Helper()
	environment := apiserver.Start(t)
	k8s, err := client.New(environment.Config, client.Options{Scheme: controllers.NewScheme()})
	must(t, err)

	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	must(t, apiserver.WriteKubeconfig(environment, envtest.User{Name: "operator", Groups: []string{"system:masters"}}, kubeconfig))
	certificate, key, err := cert.GenerateSelfSignedCertKey("localhost", nil, nil)
	must(t, err)
	for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	w := &world{k8s: k8s}
	w.Process, err = operator.Start(operator.Options{
		Kubeconfig: kubeconfig, CertDir: dir, SecureMetrics: true,
		Args: []string{"--leader-elect", "--namespace", namespace},
		Log:  t.Output(),
	})
	must(t, err)
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error("stopping the operator:", err)
		}
	})

	role := manifests.Only[rbacv1.ClusterRole](t, manifests.LoadObjects(t, "config/rbac/metrics_reader_role.yaml"), "ClusterRole")
	must(t, k8s.Create(t.Context(), &role))
	w.reader, err = apiserver.NewServiceAccount(t.Context(), k8s, namespace, "reader", role.Name)
	must(t, err)
	return w
}

// runEverything gives the operator one of each to do, and waits until its metrics
// say so: a flow that Fails, one that lacks its JobTemplate, one whose Job a webhook
// refuses that is down, and a DaemonJob without a node.
func (w *world) runEverything(t *testing.T) {
	t.Helper()
	must(t, w.k8s.Create(t.Context(), brokenWebhook()))
	refused := build.Flow(namespace, "refused", build.Step("a"))
	refused.Spec.GlobalParams = &v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Labels: map[string]string{"refuse": "yes"}}}
	for _, object := range []client.Object{
		build.JobTemplate(namespace, "there"),
		build.Flow(namespace, "fails", build.StepFrom("there", "a")),
		build.Flow(namespace, "lacks", build.StepFrom("missing", "a")),
		refused,
		build.DaemonJob(namespace, "nowhere"),
	} {
		must(t, w.k8s.Create(t.Context(), object))
	}

	must(t, jobcontroller.EndCreated(t.Context(), w.k8s, client.ObjectKey{Namespace: namespace, Name: "fails-a"},
		batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded))
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
		NewWithT(t).Eventually(func() (float64, error) {
			metrics, err := w.Scrape(t.Context(), w.reader)
			return metrics.Sum(name, labels), err
		}, limit.Hang, 100*time.Millisecond).Should(BeNumerically(">", 0), name)
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
