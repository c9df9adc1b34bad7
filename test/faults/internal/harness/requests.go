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
	begun  int
	open   int
}

func (l *requests) send(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if IsWatch(r) || strings.Contains(r.URL.Path, "/leases") {
		return next.RoundTrip(r)
	}
	number := l.begin(r)
	response, err := next.RoundTrip(r)
	l.end(number, response)
	return response, err
}

const notAWrite = -1

func (l *requests) begin(r *http.Request) (number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun++
	l.open++
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
	if number != notAWrite && response != nil {
		l.writes[number].Code = response.StatusCode
	}
}

// progress returns how many requests have begun, and whether any is still open.
func (l *requests) progress() (begun int, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun, l.open > 0
}

// Writes are all that the operator has tried so far, in order.
func (o *Operator) Writes() []Write {
	o.requests.mu.Lock()
	defer o.requests.mu.Unlock()
	return append([]Write(nil), o.requests.writes...)
}

// looksInARow is how many times in succession an operator has to be found idle. An event
// that has arrived but is not queued yet is invisible. It needs only processor time to get there,
// and so does each look, so a slow machine delays both.
const looksInARow = 20

// WaitIdle waits until the operator has nothing to do and will have nothing to do for a
// duration of soon. lag is how long a fault may hold back the events that wake it. An
// operator that goes in circles never gets there.
func (o *Operator) WaitIdle(ctx context.Context, lag, soon time.Duration) error {
	looks, before, since := 0, 0, time.Now()
	return wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		now := time.Now()
		begun, open := o.requests.progress()
		if open || begun != before || o.queues.busy(now.Add(soon)) {
			looks, before, since = 0, begun, now
			return false, nil
		}
		looks++
		return looks >= looksInARow && now.Sub(since) >= lag, nil
	})
}
