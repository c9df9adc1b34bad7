package testkit

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
)

// watchedGomega takes the place of Gomega's default and notes near misses: each Eventually
// that succeeded, but used more than half of its limit. On a slower machine it would fail.
type watchedGomega struct {
	gomega.Gomega
	// limit is that of an Eventually which has none of its own.
	limit time.Duration

	mu     sync.Mutex
	misses []string
}

// Inner gives Gomega its own type back, which RegisterFailHandler asks for.
func (w *watchedGomega) Inner() gomega.Gomega { return w.Gomega }

func (w *watchedGomega) Eventually(actualOrContext any, args ...any) gomega.AsyncAssertion {
	return w.EventuallyWithOffset(0, actualOrContext, args...)
}

func (w *watchedGomega) EventuallyWithOffset(offset int, actualOrContext any, args ...any) gomega.AsyncAssertion {
	limit := w.limit
	for _, arg := range args {
		// The first duration is the limit, unless it is what is polled.
		if d, ok := arg.(time.Duration); ok {
			limit = d
			break
		}
	}
	return &watchedWait{w.Gomega.EventuallyWithOffset(offset, actualOrContext, args...), w, limit}
}

func (w *watchedGomega) note(took, limit time.Duration) {
	if took <= limit/2 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.misses = append(w.misses, fmt.Sprintf("  %6.1fs of %s  %s  %s\n", took.Seconds(), limit, caller(), CurrentSpecReport().FullText()))
}

func (w *watchedGomega) report() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.misses) == 0 {
		return ""
	}
	return "\nNear misses, waits that used more than half of their limit:\n" + strings.Join(w.misses, "")
}

// caller is the test's line that waited: the first one outside this file.
func caller() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if file := filepath.Base(frame.File); file != "near_miss.go" || !more {
			return fmt.Sprintf("%s:%d", file, frame.Line)
		}
	}
}

// watchedWait is an Eventually that is timed. Its methods are those of Gomega, which
// change the assertion and return it.
type watchedWait struct {
	gomega.AsyncAssertion
	gomega *watchedGomega
	limit  time.Duration
}

func (w *watchedWait) match(match func(gomega.OmegaMatcher, ...any) bool, matcher gomega.OmegaMatcher, description []any) bool {
	GinkgoHelper()
	began := time.Now()
	matched := match(matcher, description...)
	if matched {
		w.gomega.note(time.Since(began), w.limit)
	}
	return matched
}

func (w *watchedWait) Should(matcher gomega.OmegaMatcher, description ...any) bool {
	GinkgoHelper()
	return w.match(w.AsyncAssertion.Should, matcher, description)
}

func (w *watchedWait) ShouldNot(matcher gomega.OmegaMatcher, description ...any) bool {
	GinkgoHelper()
	return w.match(w.AsyncAssertion.ShouldNot, matcher, description)
}

func (w *watchedWait) To(matcher gomega.OmegaMatcher, description ...any) bool {
	GinkgoHelper()
	return w.match(w.AsyncAssertion.Should, matcher, description)
}

func (w *watchedWait) ToNot(matcher gomega.OmegaMatcher, description ...any) bool {
	GinkgoHelper()
	return w.match(w.AsyncAssertion.ShouldNot, matcher, description)
}

func (w *watchedWait) NotTo(matcher gomega.OmegaMatcher, description ...any) bool {
	GinkgoHelper()
	return w.match(w.AsyncAssertion.ShouldNot, matcher, description)
}

func (w *watchedWait) WithOffset(offset int) gomega.AsyncAssertion {
	w.AsyncAssertion.WithOffset(offset)
	return w
}

func (w *watchedWait) WithTimeout(limit time.Duration) gomega.AsyncAssertion {
	w.AsyncAssertion.WithTimeout(limit)
	w.limit = limit
	return w
}

func (w *watchedWait) Within(limit time.Duration) gomega.AsyncAssertion { return w.WithTimeout(limit) }

func (w *watchedWait) WithPolling(interval time.Duration) gomega.AsyncAssertion {
	w.AsyncAssertion.WithPolling(interval)
	return w
}

func (w *watchedWait) ProbeEvery(interval time.Duration) gomega.AsyncAssertion {
	return w.WithPolling(interval)
}

func (w *watchedWait) WithContext(ctx context.Context) gomega.AsyncAssertion {
	w.AsyncAssertion.WithContext(ctx)
	return w
}

func (w *watchedWait) WithArguments(arguments ...any) gomega.AsyncAssertion {
	w.AsyncAssertion.WithArguments(arguments...)
	return w
}

func (w *watchedWait) MustPassRepeatedly(count int) gomega.AsyncAssertion {
	w.AsyncAssertion.MustPassRepeatedly(count)
	return w
}
