package apitest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// once lets a fault happen to the first request of each kind.
type once struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (o *once) first(r *http.Request, body []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	key := r.Method + r.URL.Path + string(body)
	seen := o.seen[key]
	o.seen[key] = true
	return !seen
}

// isWrite reports whether a request creates a Job or writes a status.
func isWrite(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/jobs") ||
		r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/status")
}

func readBody(r *http.Request) []byte {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// lostAnswers forwards every new write, and answers that it timed out.
func lostAnswers(next http.RoundTripper) http.RoundTripper {
	var o once
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		lost := isWrite(r) && o.first(r, readBody(r))
		response, err := next.RoundTrip(r)
		if err == nil && lost {
			_ = response.Body.Close()
			return nil, errors.New("the answer was lost")
		}
		return response, err
	})
}

// refusals answers every new write with a code, and does nothing.
func refusals(code int) transport {
	return func(next http.RoundTripper) http.RoundTripper {
		var o once
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if isWrite(r) && o.first(r, readBody(r)) {
				return &http.Response{
					StatusCode: code, Status: http.StatusText(code), Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r,
				}, nil
			}
			return next.RoundTrip(r)
		})
	}
}

// webhookAnswers refuses every creation of a Job as the API server does when an
// admission webhook of another operator is down or refuses it, in other words each time.
func webhookAnswers(code int, reason metav1.StatusReason) transport {
	return webhookAnswersTo("", code, reason)
}

// webhookAnswersTo does so for Jobs of which something has this text in it.
func webhookAnswersTo(text string, code int, reason metav1.StatusReason) transport {
	return func(next http.RoundTripper) http.RoundTripper {
		var requests atomic.Int64
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/jobs") || !bytes.Contains(readBody(r), []byte(text)) {
				return next.RoundTrip(r)
			}
			body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,`+
				`"message":"webhook mjob.example.com: request %d"}`, reason, code, requests.Add(1))
			return &http.Response{
				StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(body)), Request: r,
			}, nil
		})
	}
}

var _ = DescribeTable("A JobFlow says what keeps its Jobs from being created, and does not ask without end, when", func(code int, reason metav1.StatusReason) {
	ns := newNamespace()
	op := startOperator(ns, webhookAnswers(code, reason))
	DeferCleanup(op.stop)
	Expect(k8s.Create(ctx, build.Flow(ns, "f", step("a"), step("b")))).To(Succeed())
	Eventually(flowPhases(ns, "f")).Should(Equal(map[string]string{"a": "Waiting/CreateFailed", "b": "Waiting/CreateFailed"}))
	Expect(flowStatus(ns, "f")(Default).Message).To(ContainSubstring("mjob.example.com"))
	written := flowStatus(ns, "f")(Default)
	Consistently(flowStatus(ns, "f")).Should(Equal(written))
	creates := 0
	for _, request := range op.requests.take() {
		if strings.HasPrefix(request, http.MethodPost) && strings.HasSuffix(request, "/jobs") {
			creates++
		}
	}
	// With a backoff that starts at 5 ms and doubles, ten fit into the two seconds
	// that this takes.
	Expect(creates).To(BeNumerically("<", 20))
},
	Entry("a webhook is down", http.StatusInternalServerError, metav1.StatusReasonInternalError),
	Entry("a webhook forbids them", http.StatusForbidden, metav1.StatusReasonForbidden),
)

var _ = DescribeTable("A Job that is refused for itself keeps no other from running", func(parallelism *int32, code int, reason metav1.StatusReason) {
	ns := newNamespace()
	op := startOperator(ns, webhookAnswersTo("f-forbidden", code, reason))
	DeferCleanup(op.stop)
	flow := build.Flow(ns, "f", step("forbidden"), step("a"), step("b", "a"), step("c", "b"))
	flow.Spec.Parallelism = parallelism
	Expect(k8s.Create(ctx, flow)).To(Succeed())
	for _, name := range []string{"f-a", "f-b", "f-c"} {
		Eventually(jobNames).WithArguments(ns).Should(ContainElement(name))
		complete(ns, name)
	}
	Eventually(flowPhases(ns, "f")).Should(Equal(map[string]string{
		"forbidden": "Waiting/CreateFailed", "a": "Succeeded", "b": "Succeeded", "c": "Succeeded",
	}))
},
	Entry("by a policy", nil, http.StatusForbidden, metav1.StatusReasonForbidden),
	Entry("by a policy, where there is one Job at a time", ptr.To[int32](1), http.StatusForbidden, metav1.StatusReasonForbidden),
	Entry("by a webhook that fails", nil, http.StatusInternalServerError, metav1.StatusReasonInternalError),
)

var _ = DescribeTable("A JobFlow runs each step once when", func(fault transport) {
	ns := newNamespace()
	op := startOperator(ns, fault)
	DeferCleanup(op.stop)
	jobs := watchJobs(GinkgoTB(), ns)
	Expect(k8s.Create(ctx, build.Flow(ns, "f", step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c")))).To(Succeed())
	for _, layer := range [][]string{{"f-a"}, {"f-b", "f-c"}, {"f-d"}} {
		for _, name := range layer {
			Eventually(jobNames).WithArguments(ns).Should(ContainElement(name))
		}
		for _, name := range layer {
			complete(ns, name)
		}
	}
	Eventually(flowState(ns, "f")).Should(Equal(v1alpha1.StateSucceed))
	Expect(jobs.times("f")).To(Equal(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}))
	for _, run := range flowStatus(ns, "f")(Default).Flows {
		Expect(run.Attempt).To(BeEquivalentTo(1))
	}
},
	Entry("answers to writes are lost", lostAnswers),
	Entry("writes meet conflicts", refusals(http.StatusConflict)),
	Entry("the API server fails", refusals(http.StatusInternalServerError)),
	Entry("the API server is busy", refusals(http.StatusTooManyRequests)),
)
