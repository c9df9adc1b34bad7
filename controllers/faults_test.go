package controllers_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
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

// isWrite says whether a request creates a Job or writes a status.
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

// lostAnswers sends every new write on, and then says that it timed out.
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
func refusals(code int) func(http.RoundTripper) http.RoundTripper {
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

// brokenWebhook answers every creation of a Job as the API server does while an
// admission webhook of somebody else's is down.
func brokenWebhook(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/jobs") {
			return next.RoundTrip(r)
		}
		body := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","code":500,` +
			`"message":"Internal error occurred: failed calling webhook \"mjob.example.com\": connection refused"}`
		return &http.Response{
			StatusCode: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	})
}

var _ = It("A JobFlow says which error keeps its Jobs from being created", func() {
	op := startOperator(brokenWebhook)
	defer op.stop()
	ns := newNamespace()
	Expect(k8s.Create(ctx, makeFlow(ns, "f", step("a"), step("b")))).To(Succeed())
	Eventually(flowPhases(ns, "f")).Should(Equal(map[string]string{"a": "Waiting/CreateFailed", "b": "Waiting/CreateFailed"}))
	Expect(flowStatus(ns, "f")(Default).Message).To(ContainSubstring("mjob.example.com"))
})

var _ = DescribeTable("A JobFlow runs each step once when", func(fault func(http.RoundTripper) http.RoundTripper) {
	op := startOperator(fault)
	defer op.stop()
	ns := newNamespace()
	jobs := watchJobs(GinkgoTB(), ns)
	Expect(k8s.Create(ctx, makeFlow(ns, "f", step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c")))).To(Succeed())
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
