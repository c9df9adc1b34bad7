// Package port finds free ports for the programs that tests start.
package port

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The range lies below the ephemeral ports, which the kernel assigns to connections and to
// listeners on port 0: another process could get such a port before the program listens.
const first, count = 20000, 10000

// Free returns a TCP port of the loopback interface on which nothing listens. No other call,
// in this process or another, returns the same port until this process ends.
func Free() (int, error) {
	for range count {
		port := first + rand.IntN(count)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		// The UDP port with the same number is a lock. The process holds it until it ends.
		lock, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			_ = lock.Close()
			continue
		}
		return port, listener.Close()
	}
	return 0, errors.New("no port is free")
}
