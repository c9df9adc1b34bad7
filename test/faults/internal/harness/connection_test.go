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
	client := &http.Client{Transport: Transport(c.send).to(http.DefaultTransport)}
	send := func(path string) error {
		response, err := client.Get(server.URL + path)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}

	watch, err := client.Get(server.URL + "/watch")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watch.Body.Close() })
	answered := make(chan error)
	go func() { answered <- send("/write") }()
	<-arrived
	<-arrived
	c.cut()
	if err := <-answered; err == nil {
		t.Error("a request that was on its way got an answer")
	}
	if _, err := io.ReadAll(watch.Body); err == nil {
		t.Error("the watch ended as if it were over")
	}
	if err := send("/late"); !errors.Is(err, errCut) {
		t.Errorf("a later request: %v", err)
	}
	if len(arrived) > 0 {
		t.Errorf("%s arrived", <-arrived)
	}
}
