package security_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/operator"
)

func (w *world) startOperator(t *testing.T, environment ...string) *operator.Process {
	o, err := operator.Start(operator.Options{
		Kubeconfig: w.kubeconfig, CertDir: t.TempDir(), SecureMetrics: true,
		Args: []string{"--leader-elect", "--namespace", operatorNamespace},
		Env:  environment,
		Log:  t.Output(),
	})
	w.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = o.Stop() })
	return o
}

// scrape reads the metrics with a token that may read them.
func (w *world) scrape(o *operator.Process, token string) {
	metrics, err := o.Scrape(w.ctx, token)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(metrics).To(HaveKey("jobflow_objects"))
}

// askAboutFlow has somebody create a JobFlow who may not create Jobs.
func (w *world) askAboutFlow(o *operator.Process, namespace string) {
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
		o.Webhooks+"/validate-api-practice-com-v1alpha1-jobflow", bytes.NewReader(body))
	w.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json")
	response, err := o.Client.Do(request)
	w.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close() //nolint:errcheck // There is nothing left to do about it.
	var answer admissionv1.AdmissionReview
	w.Expect(json.NewDecoder(response.Body).Decode(&answer)).To(Succeed())
	w.Expect(answer.Response).To(HaveField("Allowed", BeFalse()))
	w.Expect(answer.Response.Result.Message).To(ContainSubstring(`user "somebody" cannot create resource "jobs"`))
}
