package harness

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestConnectionCut: a request that is on its way and a watch that is open get no answer any
// more, and what is sent later does not arrive.
func TestConnectionCut(t *testing.T) {
	arrived := make(chan string, 3)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.URL.Path
		if r.URL.Path == "/watch" {
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	c := newConnection()
	get := func(path string) (*http.Response, error) {
		return (&http.Client{Transport: Transport(c.send).to(http.DefaultTransport)}).Get(server.URL + path)
	}

	watch, err := get("/watch")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watch.Body.Close() })
	answered := make(chan error)
	go func() {
		_, err := get("/write") //nolint:bodyclose // There is no answer.
		answered <- err
	}()
	<-arrived
	<-arrived
	c.cut()
	if err := <-answered; err == nil {
		t.Error("a request that was on its way got an answer")
	}
	if _, err := io.ReadAll(watch.Body); err == nil {
		t.Error("the watch ended as if it were over")
	}
	if _, err := get("/late"); !errors.Is(err, errCut) { //nolint:bodyclose // There is no answer.
		t.Errorf("a later request: %v", err)
	}
	if len(arrived) > 0 {
		t.Errorf("%s arrived", <-arrived)
	}
}
