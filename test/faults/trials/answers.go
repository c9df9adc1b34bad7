package trials

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// answered injects a fault into the first try of every write; the second try gets through. It
// spares Events, because the event recorder retries only after ten seconds.
func answered(how answering) scenario.Inject {
	return answeredTo(func(*http.Request) bool { return true }, how)
}

// answering handles a request in place of the API server, or in front of it.
type answering func(w *scenario.World, next http.RoundTripper, r *http.Request) (*http.Response, error)

// answeredTo is answered, but only for some of the writes.
func answeredTo(these func(*http.Request) bool, how answering) scenario.Inject {
	return func(w *scenario.World, fault *scenario.Fault) {
		fault.Transport = func(*scenario.Life) harness.Transport {
			var tries tries
			return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				if !harness.IsWrite(r) || isEvent(r) || !these(r) || !tries.first(r) {
					return next.RoundTrip(r)
				}
				fault.Injected.Add(1)
				return how(w, next, r)
			}
		}
	}
}

func isPatch(r *http.Request) bool { return r.Method == http.MethodPatch }

func isEvent(r *http.Request) bool { return isEventPath(r.URL.Path) }

func isEventPath(path string) bool { return strings.Contains(path, "/events") }

// tries distinguishes the first try of a write from the second.
type tries struct {
	mu   sync.Mutex
	seen map[string]int
}

// first reports whether this is the first try of a write; it alternates. It identifies a create
// by its body, since all creates go to the same path, and other writes by their object, since
// the version in the body of a patch changes.
func (t *tries) first(r *http.Request) bool {
	key := r.Method + r.URL.Path
	if r.Method == http.MethodPost {
		key += string(readBody(r))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen = map[string]int{}
	}
	t.seen[key]++
	return t.seen[key]%2 == 1
}

func readBody(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close() // the body is in memory
	if err != nil {
		panic(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// refused answers with a status code, and does not send the request to the API server.
func refused(code int, reason metav1.StatusReason) scenario.Inject {
	return answered(func(_ *scenario.World, _ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return answer(r, code, reason), nil
	})
}

// answer returns an error response like one of the API server.
func answer(r *http.Request, code int, reason metav1.StatusReason) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	if code == http.StatusTooManyRequests {
		header.Set("Retry-After", "1")
	}
	body := failure(code, reason, "a fault of the test")
	return &http.Response{
		StatusCode: code, Status: strconv.Itoa(code) + " " + http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// failure returns a Status like one of the API server, in JSON.
func failure(code int, reason metav1.StatusReason, message string) []byte {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
	})
	if err != nil {
		panic(err) // it is made of constants
	}
	return body
}

// reset breaks the connection before the request is sent.
func reset(_ *scenario.World, _ http.RoundTripper, _ *http.Request) (*http.Response, error) {
	return nil, syscall.ECONNRESET
}

var errTimeout = errors.New("the request timed out; what became of it is not known")

// lost lets the write take effect, but loses the response.
func lost(_ *scenario.World, next http.RoundTripper, r *http.Request) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	return nil, errors.Join(errTimeout, response.Body.Close())
}

// overtaken updates the object right before a patch arrives, which then conflicts. Creates
// cannot conflict.
func overtaken(w *scenario.World, next http.RoundTripper, r *http.Request) (*http.Response, error) {
	touch := `{"metadata":{"annotations":{"faults/touched":"` + strconv.FormatInt(touches.Add(1), 10) + `"}}}`
	err := w.Server.Patch(r.Context(), strings.TrimSuffix(r.URL.Path, "/status"), touch)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	return next.RoundTrip(r)
}

var touches atomic.Int64
