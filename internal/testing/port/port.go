// Package port finds free ports for the programs that tests start.
package port

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The range lies below the ports that a kernel hands out by itself, to whoever connects
// or listens at port 0: such a port can be taken again before the program listens.
const first, count = 20000, 10000

// Free returns a TCP port of the loopback interface at which nothing listens. No test,
// of this process or of another, gets the same one until this process ends.
func Free() (int, error) {
	for range count {
		port := first + rand.IntN(count)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		// The UDP port of the same number is the lock on it. It is held on purpose.
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
