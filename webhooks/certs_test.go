package webhooks_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"
	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/port"
	"github.com/jobflow-operator/jobflow-operator/webhooks"
)

const operatorNamespace = "jobflow-operator-system"

// These specs run two replicas of the operator's program with no more permissions than
// its manifests grant.
var _ = Describe("The operator's own certificate", Ordered, func() {
	var (
		kubeconfig string
		replicas   []*replica
	)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: webhooks.DefaultSecret}}

	BeforeAll(func() {
		Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}})).To(Succeed())
		Expect(k8s.Create(ctx, secret.DeepCopy())).To(Succeed())
		createConfiguration()
		kubeconfig = operatorUser()
		for range 2 {
			// Long enough for the requests of the specs on any machine.
			replicas = append(replicas, startReplica(kubeconfig, limit.Hang))
		}
	})

	It("makes every replica ready", func() {
		for _, r := range replicas {
			Eventually(r.ready).Should(Equal(http.StatusOK))
		}
	})

	It("is signed by the CA in the webhook configuration, in every replica", func() {
		for _, r := range replicas {
			Eventually(r.review).Should(And(
				HaveField("Allowed", false),
				HaveField("Result.Message", ContainSubstring("spec.flows: Required value"))))
		}
		Expect(replicas[0].certificate()).To(Equal(replicas[1].certificate()))
	})

	It("leaves no files that the next container would take for mounted ones", func() {
		for _, r := range replicas {
			certs, err := webhooks.FindCerts(webhooks.ServerOptions{CertDir: r.certDir})
			Expect(err).NotTo(HaveOccurred())
			Expect(certs.Mounted()).To(BeFalse())
		}
	})

	It("is served by every replica after a renewal", func() {
		before := replicas[0].certificate()
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"data":{"tls.crt":null,"tls.key":null}}`))
		Expect(k8s.Patch(ctx, secret.DeepCopy(), patch)).To(Succeed())
		Eventually(func() []byte { return replicas[0].certificate() }).ShouldNot(Equal(before))
		Eventually(func() []byte { return replicas[1].certificate() }).Should(Equal(replicas[0].certificate()))
		for _, r := range replicas {
			Eventually(r.review).Should(HaveField("Allowed", false))
		}
	})

	It("stays in use during the shutdown delay", func() {
		for _, r := range replicas {
			r.session.Interrupt()
		}
		for _, r := range replicas {
			Expect(r.closes).To(BeFalse())
			Eventually(r.session.Err).Should(gbytes.Say("Shutting down after a delay"))
			Eventually(r.review).Should(HaveField("Allowed", false))
			Expect(r.closes).To(BeTrue())
			r.session.Kill().Wait(limit.Hang)
		}
	})

	It("is recreated when the Secret is gone, by an operator that stops cleanly after its shutdown delay", func() {
		Expect(k8s.Delete(ctx, secret.DeepCopy())).To(Succeed())
		again := startReplica(kubeconfig, time.Second)
		Eventually(again.ready).Should(Equal(http.StatusOK))
		Eventually(again.review).Should(HaveField("Allowed", false))

		signalled := time.Now()
		again.session.Interrupt()
		Eventually(again.session).Should(gexec.Exit(0))
		Expect(time.Since(signalled)).To(BeNumerically(">=", again.delay))
	})
})

// replica is one running operator.
type replica struct {
	session                      *gexec.Session
	certDir                      string
	webhookAddress, probeAddress string
	// delay is its --shutdown-delay-duration.
	delay time.Duration
	// closes is true if the last response closed its connection.
	closes bool
}

func startReplica(kubeconfig string, delay time.Duration) *replica {
	GinkgoHelper()
	program := os.Getenv("OPERATOR")
	Expect(program).NotTo(BeEmpty(), "OPERATOR is not set: make test sets it, and so does: make build && export OPERATOR=$PWD/bin/manager")
	webhookPort, err := port.Free()
	Expect(err).NotTo(HaveOccurred())
	probePort, err := port.Free()
	Expect(err).NotTo(HaveOccurred())
	r := &replica{
		certDir:        GinkgoT().TempDir(),
		webhookAddress: fmt.Sprintf("127.0.0.1:%d", webhookPort),
		probeAddress:   fmt.Sprintf("127.0.0.1:%d", probePort),
		delay:          delay,
	}
	command := exec.Command(program,
		"--kubeconfig", kubeconfig,
		"--namespace", operatorNamespace,
		"--leader-elect",
		"--metrics-bind-address", "0",
		"--health-probe-bind-address", r.probeAddress,
		"--webhook-port", fmt.Sprint(webhookPort),
		"--webhook-cert-dir", r.certDir,
		"--shutdown-delay-duration", delay.String(),
	)
	r.session, err = gexec.Start(command, GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { r.session.Kill().Wait(limit.Hang) })
	return r
}

// ready returns the status code of /readyz.
func (r *replica) ready() int {
	response, err := http.Get("http://" + r.probeAddress + "/readyz") //nolint:noctx // The test has its own time limit.
	if err != nil {
		return 0
	}
	defer response.Body.Close() //nolint:errcheck // There is nothing left to do about it.
	return response.StatusCode
}

// trust is the TLS configuration with which the API server would call the webhooks.
func trust(g Gomega) *tls.Config {
	configuration := &registrationv1.ValidatingWebhookConfiguration{}
	g.Expect(k8s.Get(ctx, client.ObjectKey{Name: webhooks.DefaultConfiguration}, configuration)).To(Succeed())
	pool := x509.NewCertPool()
	g.Expect(pool.AppendCertsFromPEM(configuration.Webhooks[0].ClientConfig.CABundle)).To(BeTrue(), "there is no CA yet")
	return &tls.Config{RootCAs: pool, ServerName: webhooks.DefaultService + "." + operatorNamespace + ".svc", MinVersion: tls.VersionTLS12}
}

// certificate is the one that the replica serves.
func (r *replica) certificate() []byte {
	GinkgoHelper()
	connection, err := tls.Dial("tcp", r.webhookAddress, trust(Default))
	Expect(err).NotTo(HaveOccurred())
	defer connection.Close() //nolint:errcheck // There is nothing left to do about it.
	return connection.ConnectionState().PeerCertificates[0].Raw
}

// review asks the replica about a JobFlow without steps, as the API server would
// when an administrator applies it.
func (r *replica) review(g Gomega) *admissionv1.AdmissionResponse {
	transport := &http.Transport{TLSClientConfig: trust(g)}
	defer transport.CloseIdleConnections()
	caller := &http.Client{Transport: transport, Timeout: limit.Hang}
	request := &admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID:       "test",
			Operation: admissionv1.Create,
			UserInfo:  authenticationv1.UserInfo{Username: "admin", Groups: []string{"system:masters"}},
			Object: runtime.RawExtension{Raw: []byte(
				`{"apiVersion":"api.practice.com/v1alpha1","kind":"JobFlow","metadata":{"name":"flow"},"spec":{"flows":[]}}`)},
		},
	}
	body, err := json.Marshal(request)
	g.Expect(err).NotTo(HaveOccurred())
	url := "https://" + r.webhookAddress + "/validate-api-practice-com-v1alpha1-jobflow"
	response, err := caller.Post(url, "application/json", bytes.NewReader(body)) //nolint:noctx // The caller has a time limit.
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close() //nolint:errcheck // There is nothing left to do about it.
	r.closes = response.Close
	answer := &admissionv1.AdmissionReview{}
	g.Expect(json.NewDecoder(response.Body).Decode(answer)).To(Succeed())
	g.Expect(answer.Response).NotTo(BeNil())
	return answer.Response
}

// createConfiguration creates the configuration that gets the CA. Its rule matches
// nothing, since the API server cannot reach the Service that it names.
func createConfiguration() {
	GinkgoHelper()
	Expect(k8s.Create(ctx, &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: webhooks.DefaultConfiguration},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name:                    "nothing.api.practice.com",
			AdmissionReviewVersions: []string{"v1"},
			SideEffects:             ptr.To(registrationv1.SideEffectClassNone),
			ClientConfig: registrationv1.WebhookClientConfig{Service: &registrationv1.ServiceReference{
				Namespace: operatorNamespace, Name: webhooks.DefaultService,
			}},
			Rules: []registrationv1.RuleWithOperations{{
				Operations: []registrationv1.OperationType{registrationv1.Create},
				Rule:       registrationv1.Rule{APIGroups: []string{"nothing.practice.com"}, APIVersions: []string{"v1"}, Resources: []string{"nothings"}},
			}},
		}},
	})).To(Succeed())
}

// operatorUser creates a user with the permissions of config/certificate and of
// config/rbac, except those for metrics, and returns its kubeconfig.
func operatorUser() string {
	GinkgoHelper()
	const name = "operator"
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}}
	for _, file := range []string{"rbac/role.yaml", "rbac/leader_election_role.yaml", "certificate/role.yaml"} {
		content, err := os.ReadFile(filepath.Join("..", "config", filepath.FromSlash(file)))
		Expect(err).NotTo(HaveOccurred())
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
		for i := 0; ; i++ {
			role := object(operatorNamespace, "{}")
			err := decoder.Decode(&role.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			Expect(err).NotTo(HaveOccurred())
			meta := metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-", "_", "-", ".yaml", "").Replace(file), i)}
			ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: role.GetKind(), Name: role.GetName()}
			if role.GetKind() == "Role" {
				role.SetNamespace(operatorNamespace)
				meta.Namespace = operatorNamespace
				Expect(k8s.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects})).To(Succeed())
			} else {
				Expect(k8s.Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects})).To(Succeed())
			}
			Expect(k8s.Create(ctx, role)).To(Succeed())
		}
	}
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(apiserver.WriteKubeconfig(environment, envtest.User{Name: name}, path)).To(Succeed())
	return path
}
