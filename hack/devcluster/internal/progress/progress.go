// Package progress prints what devcluster is doing. Everything goes to stderr:
// stdout is kept for answers that scripts read (a path, a status table).
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Printer writes progress lines, each with the time since it was made.
type Printer struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

// New returns a Printer on stderr.
func New() *Printer { return NewTo(os.Stderr) }

// NewTo returns a Printer on w.
func NewTo(w io.Writer) *Printer { return &Printer{out: w, start: time.Now()} }

// Say prints one line.
func (p *Printer) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.start).Round(time.Second)
	fmt.Fprintf(p.out, "[%6s] %s\n", elapsed, fmt.Sprintf(format, args...))
}

// Every calls line at each interval and prints what it returns, until the
// returned stop function is called. It is for steps that take long and would
// otherwise look hung.
func (p *Printer) Every(interval time.Duration, line func(elapsed time.Duration) string) (stop func()) {
	done := make(chan struct{})
	finished := make(chan struct{})
	begin := time.Now()
	go func() {
		defer close(finished)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				p.Say("%s", line(time.Since(begin).Round(time.Second)))
			}
		}
	}()
	return func() {
		close(done)
		<-finished
	}
}
