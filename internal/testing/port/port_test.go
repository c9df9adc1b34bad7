package port

import (
	"fmt"
	"net"
	"testing"
)

func TestFree(t *testing.T) {
	port, err := Free()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("a program cannot listen there: %v", err)
	}
	_ = listener.Close()
	if lock, err := net.ListenPacket("udp", address); err == nil {
		_ = lock.Close()
		t.Error("another test can get the same port")
	}
}
