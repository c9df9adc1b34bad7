package node

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// serve is a runtime that answers as the handler does.
func serve(t *testing.T, handler http.HandlerFunc) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: protocols}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return socket
}

func TestContainerdIsReadyWhenItServesKubelets(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		err    string
	}{
		"a version": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write([]byte{0, 0, 0, 0, 0})
			w.Header().Set("Grpc-Status", "0")
		}, ""},
		"not initialized": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Grpc-Status", "2")
			w.Header().Set("Grpc-Message", "server is not initialized yet")
		}, "not initialized yet"},
		"not gRPC": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "does not serve kubelets"},
	} {
		t.Run(name, func(t *testing.T) {
			socket := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/runtime.v1.RuntimeService/Version" || r.Header.Get("Content-Type") != "application/grpc" {
					t.Errorf("%s, %v", r.URL, r.Header)
				}
				tc.answer(w, r)
			})
			err := criReady(context.Background(), socket)
			switch {
			case tc.err == "" && err != nil:
				t.Error(err)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("%v, want %q", err, tc.err)
			}
		})
	}
}
