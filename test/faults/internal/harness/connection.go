package harness

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Transport stands between an operator and the API server: it gets each request, and sends
// it on to what is next.
type Transport func(next http.RoundTripper, r *http.Request) (*http.Response, error)

// to connects a transport to what is next.
func (t Transport) to(next http.RoundTripper) http.RoundTripper { return connected{t, next} }

type connected struct {
	transport Transport
	next      http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c connected) RoundTrip(r *http.Request) (*http.Response, error) { return c.transport(c.next, r) }

var errCut = errors.New("the operator is dead: nothing of it reaches the API server")

// connection is all that ties one operator to the API server. Once it is cut no request
// goes out, none that is on its way is answered, and all watches end.
type connection struct {
	alive context.Context
	cut   context.CancelFunc
}

func newConnection() *connection {
	c := &connection{}
	c.alive, c.cut = context.WithCancel(context.Background())
	return c
}

func (c *connection) send(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if c.alive.Err() != nil {
		return nil, errCut
	}
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(c.alive, cancel)
	end := func() { stop(); cancel() }
	response, err := next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		end()
		return nil, err
	}
	if c.alive.Err() != nil {
		end()
		return nil, errors.Join(errCut, response.Body.Close())
	}
	response.Body = &body{response.Body, end}
	return response, nil
}

// body ends the context of its request when it is closed.
type body struct {
	io.ReadCloser
	end func()
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
