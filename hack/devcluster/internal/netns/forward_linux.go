package netns

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"sync"
	"time"
)

// Lookup asks a name server in the namespace for the addresses of a name.
func (ns Namespace) Lookup(ctx context.Context, server, name string) ([]string, error) {
	resolver := net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
			err = ns.Inside(func() error {
				conn, err = (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, server)
				return err
			})
			return conn, err
		},
	}
	return resolver.LookupHost(ctx, name)
}

// Forward listens on the host and carries each connection to an address in the
// namespace, until ctx ends.
func (ns Namespace) Forward(ctx context.Context, listen, to string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	context.AfterFunc(ctx, func() { l.Close() })
	dial := make(chan chan<- dialed)
	// One thread lives in the namespace and makes all sockets: a socket belongs
	// to the namespace that it was made in, regardless of which process uses it later.
	gone := make(chan error, 1)
	go func() {
		gone <- ns.Inside(func() error {
			dialer := net.Dialer{Timeout: 10 * time.Second}
			for {
				select {
				case <-ctx.Done():
					return nil
				case answer := <-dial:
					conn, err := dialer.Dial("tcp", to)
					answer <- dialed{conn, err}
				}
			}
		})
	}()
	log.Printf("forwarding %s to %s in %s", listen, to, ns.File)
	for {
		conn, err := l.Accept()
		if err != nil {
			select {
			case err := <-gone:
				return err
			default:
			}
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			log.Printf("accept: %v", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		answer := make(chan dialed, 1)
		select {
		case dial <- answer:
			go func() {
				d := <-answer
				if d.err != nil {
					log.Printf("dial: %v", d.err)
					conn.Close()
					return
				}
				carry(conn, d.conn)
			}()
		case err := <-gone:
			conn.Close()
			return err
		}
	}
}

type dialed struct {
	conn net.Conn
	err  error
}

// carry copies both ways; the end of one direction is passed on, so that the other
// may finish.
func carry(a, b net.Conn) {
	var wg sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		wg.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			if tcp, ok := way[0].(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
		})
	}
	wg.Wait()
	a.Close()
	b.Close()
}
