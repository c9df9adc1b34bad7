package security_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func buildOperator(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "manager")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the operator: %v\n%s", err, output)
	}
	return program
}

// operator is one that runs, as a process.
type operator struct {
	process                  *exec.Cmd
	client                   *http.Client
	probes, metrics, webhook string
}

func (w *world) startOperator(t *testing.T, environment ...string) *operator {
	o := &operator{
		probes: freeAddress(t), metrics: freeAddress(t), webhook: freeAddress(t),
		// Who serves is not what this is about.
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // See above.
		}},
	}
	_, port, err := net.SplitHostPort(o.webhook)
	w.Expect(err).NotTo(HaveOccurred())
	o.process = exec.Command(w.program,
		"--kubeconfig", w.kubeconfig,
		"--namespace", operatorNamespace,
		"--leader-elect",
		"--metrics-bind-address", o.metrics,
		"--health-probe-bind-address", o.probes,
		"--webhook-port", port,
		"--webhook-cert-dir", t.TempDir(),
	)
	o.process.Env = append(os.Environ(), environment...)
	o.process.Stdout, o.process.Stderr = t.Output(), t.Output()
	w.Expect(o.process.Start()).To(Succeed())
	t.Cleanup(func() {
		if o.process.ProcessState == nil {
			_ = o.process.Process.Kill()
			_ = o.process.Wait()
		}
	})
	return o
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // It only told us an address.
	return listener.Addr().String()
}

// stop ends it as the kubelet does, and waits until it has given its lease back.
func (o *operator) stop(w *world) {
	w.Expect(o.process.Process.Signal(os.Interrupt)).To(Succeed())
	w.Expect(o.process.Wait()).To(Succeed())
}

func (o *operator) ready() bool {
	response, err := o.client.Get("http://" + o.probes + "/readyz")
	if err != nil {
		return false
	}
	defer response.Body.Close() //nolint:errcheck // There is nothing left to do about it.
	return response.StatusCode == http.StatusOK
}

// scrape reads the metrics.
func (o *operator) scrape(w *world, token string) {
	request, err := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://"+o.metrics+"/metrics", http.NoBody)
	w.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := o.client.Do(request)
	w.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close() //nolint:errcheck // There is nothing left to do about it.
	content, err := io.ReadAll(response.Body)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(response.StatusCode).To(Equal(http.StatusOK), string(content))
	w.Expect(string(content)).To(ContainSubstring("jobflow_objects"))
}

// askAboutFlow has somebody create a JobFlow who may not create Jobs.
func (o *operator) askAboutFlow(w *world, namespace string) {
	review := admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "test", Operation: admissionv1.Create, Namespace: namespace,
			UserInfo: authenticationv1.UserInfo{Username: "somebody"},
			Object: runtime.RawExtension{Raw: []byte(
				`{"apiVersion":"api.practice.com/v1alpha1","kind":"JobFlow","metadata":{"name":"flow"},"spec":{"flows":[` +
					`{"name":"a","jobTemplate":{"template":{"spec":{"containers":[{"name":"a","image":"a"}]}}}}]}}`)},
		},
	}
	body, err := json.Marshal(review)
	w.Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequestWithContext(w.ctx, http.MethodPost,
		"https://"+o.webhook+"/validate-api-practice-com-v1alpha1-jobflow", bytes.NewReader(body))
	w.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json")
	response, err := o.client.Do(request)
	w.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close() //nolint:errcheck // There is nothing left to do about it.
	var answer admissionv1.AdmissionReview
	w.Expect(json.NewDecoder(response.Body).Decode(&answer)).To(Succeed())
	w.Expect(answer.Response).To(HaveField("Allowed", BeFalse()))
	w.Expect(answer.Response.Result.Message).To(ContainSubstring(`user "somebody" cannot create resource "jobs"`))
}
