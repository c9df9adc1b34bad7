// Testlog turns the output of "go test -json" into a short log: a line for each package,
// the output of tests that fail, every 15 seconds the packages that are still running, and
// at the end the slowest tests.
//
// Usage: go test -json PACKAGE... | testlog
//
// Testlog exits with 0 even if tests fail: with pipefail, the exit code of go test counts.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	lines := make(chan []byte)
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(nil, 16<<20)
	go func() {
		defer close(lines)
		for scanner.Scan() {
			lines <- append([]byte(nil), scanner.Bytes()...)
		}
	}()

	l := newLog(os.Stdout, time.Now)
	ticker := time.NewTicker(15 * time.Second)
	for {
		select {
		case line, more := <-lines:
			if !more {
				l.summarize()
				if err := scanner.Err(); err != nil {
					fmt.Fprintln(os.Stderr, "testlog: reading standard input:", err)
					os.Exit(1)
				}
				return
			}
			l.add(line)
		case <-ticker.C:
			l.progress()
		}
	}
}
