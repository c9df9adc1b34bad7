package startup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr/testr"
	"k8s.io/client-go/rest"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/port"
)

// apiServer answers /readyz with a status.
func apiServer(t *testing.T, status *atomic.Int32) *rest.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("unexpected request for %s", r.URL.Path)
		}
		w.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL}
}

// freeAddress returns an address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := port.Free()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", free)
}

func TestAnAPIServerThatAnswersIsNotWaitedFor(t *testing.T) {
	for name, code := range map[string]int32{
		"ready":                        http.StatusOK,
		"/readyz is forbidden":         http.StatusForbidden,
		"/readyz needs authentication": http.StatusUnauthorized,
		"a proxy without the path":     http.StatusNotFound,
	} {
		t.Run(name, func(t *testing.T) {
			var status atomic.Int32
			status.Store(code)
			// No probes are served: nothing can listen at this address.
			if err := AwaitAPIServer(t.Context(), apiServer(t, &status), "nowhere", testr.New(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestProbesAreAnsweredUntilTheAPIServerIsReady(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusInternalServerError)
	address := freeAddress(t)
	done := make(chan error, 1)
	go func() { done <- AwaitAPIServer(t.Context(), apiServer(t, &status), address, testr.New(t)) }()

	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		if got := probe(t, address, path, done); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	status.Store(http.StatusOK)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// The manager must be able to listen there next.
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
}

// probe sends requests until it gets a response.
func probe(t *testing.T, address, path string, done <-chan error) int {
	t.Helper()
	for {
		response, err := http.Get("http://" + address + path)
		if err == nil {
			_ = response.Body.Close()
			return response.StatusCode
		}
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
	}
}

func TestWaitingEndsWithTheOperator(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// Nothing listens there.
	err := AwaitAPIServer(ctx, &rest.Config{Host: "http://" + freeAddress(t)}, "0", testr.New(t))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}
