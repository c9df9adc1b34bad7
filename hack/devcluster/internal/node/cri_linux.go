package node

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// ContainerdReady returns nil if containerd serves kubelets. It answers its own client earlier,
// while it still recovers the containers of a node that lost its power; a kubelet that starts
// then exits.
func (n Node) ContainerdReady(ctx context.Context) error { return criReady(ctx, n.Socket()) }

// criReady asks for the version of the container runtime interface. That is one gRPC
// call without arguments, for which no gRPC library is needed.
func criReady(ctx context.Context, socket string) error {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}
	defer transport.CloseIdleConnections()
	// An empty message: not compressed, no bytes.
	message := bytes.NewReader(make([]byte, 5))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://containerd/runtime.v1.RuntimeService/Version", message)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("TE", "trailers")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	// Where there is no answer the status is in the header.
	status, text := response.Trailer.Get("Grpc-Status"), response.Trailer.Get("Grpc-Message")
	if status == "" {
		status, text = response.Header.Get("Grpc-Status"), response.Header.Get("Grpc-Message")
	}
	if status != "0" {
		return fmt.Errorf("containerd does not serve kubelets: gRPC status %q: %s", status, text)
	}
	return nil
}
