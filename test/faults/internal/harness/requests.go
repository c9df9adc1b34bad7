package harness

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Write is a request of an operator that changes something, if it succeeds.
type Write struct {
	Method string
	Path   string
	// Code is what the API server, or a fault, answered; 0 without an answer.
	Code int
}

// String is what the log of a test shows.
func (w Write) String() string { return w.Method + " " + w.Path }

// IsWrite says whether a request changes something. Leases are left out: they are
// about operators, not about what these do.
func IsWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/leases")
}

// IsWatch says whether a request stays open.
func IsWatch(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "watch=true") }

// requests is what one operator asked for.
type requests struct {
	mu     sync.Mutex
	writes []Write
	open   int
	last   time.Time
}

func (l *requests) wrap(next http.RoundTripper) http.RoundTripper {
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		if IsWatch(r) || strings.Contains(r.URL.Path, "/leases") {
			return next.RoundTrip(r)
		}
		number := l.begin(r)
		response, err := next.RoundTrip(r)
		l.end(number, response)
		return response, err
	})
}

const notAWrite = -1

func (l *requests) begin(r *http.Request) (number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	l.last = time.Now()
	if !IsWrite(r) {
		return notAWrite
	}
	l.writes = append(l.writes, Write{Method: r.Method, Path: r.URL.Path})
	return len(l.writes) - 1
}

func (l *requests) end(number int, response *http.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.last = time.Now()
	if number != notAWrite && response != nil {
		l.writes[number].Code = response.StatusCode
	}
}

func (l *requests) idle(period time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open == 0 && time.Since(l.last) >= period
}

// Writes are all that the operator has tried so far, in order.
func (o *Operator) Writes() []Write {
	o.requests.mu.Lock()
	defer o.requests.mu.Unlock()
	return append([]Write(nil), o.requests.writes...)
}

// WaitIdle waits until the operator has asked for nothing for a while, but for what its
// watches bring. An operator that goes in circles never gets there.
func (o *Operator) WaitIdle(ctx context.Context, period time.Duration) error {
	return wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		return o.requests.idle(period), nil
	})
}
