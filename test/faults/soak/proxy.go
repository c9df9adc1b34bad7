package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// proxy stands between the operator and the API server and cuts all connections now
// and then: every watch ends, and of the requests under way some have taken effect
// and some have not. (--min-request-timeout of the API server does not end the
// watches of client-go, which name a timeout of their own.)
type proxy struct {
	listener net.Listener
	target   string

	mu   sync.Mutex
	open map[net.Conn]bool
	cuts int
}

func startProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]bool{}}
	go p.serve()
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		go p.pass(conn)
	}
}

func (p *proxy) pass(from net.Conn) {
	defer p.close(from)
	to, err := net.Dial("tcp", p.target)
	if err != nil {
		return // the operator sees a connection that ends
	}
	defer p.close(to)
	p.mu.Lock()
	p.open[from], p.open[to] = true, true
	p.mu.Unlock()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // ends with either connection, which is all there is to know
			done <- struct{}{}
		}()
	}
	<-done
}

func (p *proxy) close(conn net.Conn) {
	_ = conn.Close() // may have been cut already
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts++
	for conn := range p.open {
		_ = conn.Close() // may have ended by itself
	}
}

// cutEvery cuts until the context ends.
func (p *proxy) cutEvery(ctx context.Context, every time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
			p.cut()
		}
	}
}

func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *proxy) stop() error {
	if err := p.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
