package trials

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// frame is one event of a watch, as it is sent over the wire.
type frame struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`

	uid     types.UID
	initial bool // the bookmark that ends the initial events
	came    time.Time
}

// stream is one watch of the operator, from its start to its end.
type stream struct {
	ctx      context.Context
	resource string // such as jobs, pods or jobflows
	in       <-chan frame
	injected *atomic.Int64
	out      *json.Encoder
}

// send sends a frame to the operator, and reports whether the operator still reads the watch.
func (s *stream) send(f frame) bool { return s.out.Encode(f) == nil }

// pause waits, and reports whether the watch is still open.
func (s *stream) pause(d time.Duration) bool {
	if d <= 0 {
		return s.ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// shape changes the events of a watch: it reads them from a stream, and decides what to send
// and when. The watch ends when it returns.
type shape func(s *stream)

// shaped applies a shape to every watch of the operator. lag is the longest time for which the
// shape holds an event back.
func shaped(lag time.Duration, shape shape) scenario.Inject {
	return func(_ *scenario.World, fault *scenario.Fault) {
		fault.Lag = lag
		fault.Transport = func(*scenario.Life) harness.Transport {
			return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				return reshape(next, r, shape, &fault.Injected)
			}
		}
	}
}

func reshape(next http.RoundTripper, r *http.Request, shape shape, injected *atomic.Int64) (*http.Response, error) {
	if !harness.IsWatch(r) {
		return next.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json") // not protobuf, which decode cannot read
	response, err := next.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	ctx, cancel := context.WithCancel(r.Context())
	frames := make(chan frame)
	read, write := io.Pipe()
	from := response.Body
	response.Body = &pipe{read, from, cancel}
	go decode(ctx, from, frames)
	go func() {
		shape(&stream{ctx: ctx, resource: resourceOf(r), in: frames, injected: injected, out: json.NewEncoder(write)})
		_ = write.Close() // ends the watch like the API server does
		cancel()
	}()
	return response, nil
}

// pipe is a response body whose Close also ends the watch of the API server.
type pipe struct {
	*io.PipeReader
	from   io.Closer
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (p *pipe) Close() error {
	p.cancel()
	_ = p.PipeReader.Close() // always nil
	return p.from.Close()
}

func decode(ctx context.Context, from io.Reader, frames chan<- frame) {
	defer close(frames)
	decoder := json.NewDecoder(from)
	for {
		var f frame
		if decoder.Decode(&f) != nil {
			return
		}
		var partial metav1.PartialObjectMetadata
		if json.Unmarshal(f.Object, &partial) == nil {
			f.uid = partial.UID
			f.initial = partial.Annotations[metav1.InitialEventsAnnotationKey] == "true"
		}
		f.came = time.Now()
		select {
		case frames <- f:
		case <-ctx.Done():
			return
		}
	}
}

func resourceOf(r *http.Request) string {
	return r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
}
