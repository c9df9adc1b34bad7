package testkit

import (
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
)

// watchedGomega replaces Gomega's default instance and records near misses: each Eventually
// that succeeded but used more than half of its limit. It may fail on a slower machine.
type watchedGomega struct {
	gomega.Gomega
	// limit applies to an Eventually that sets no limit itself.
	limit time.Duration

	mu     sync.Mutex
	misses []string
}

// Inner returns the wrapped instance, which RegisterFailHandler looks for.
func (w *watchedGomega) Inner() gomega.Gomega { return w.Gomega }

func (w *watchedGomega) Eventually(actualOrContext any, args ...any) gomega.AsyncAssertion {
	limit := w.limit
	for _, arg := range args {
		if d, ok := arg.(time.Duration); ok {
			limit = d
			break
		}
	}
	return &watchedWait{w.Gomega.Eventually(actualOrContext, args...), w, limit}
}

func (w *watchedGomega) note(took, limit time.Duration) {
	GinkgoHelper()
	if took <= limit/2 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.misses = append(w.misses, fmt.Sprintf("  %6.1fs of %s  %s\n           at %s\n",
		took.Seconds(), limit, CurrentSpecReport().FullText(), types.NewCodeLocation(0)))
}

func (w *watchedGomega) report() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.misses) == 0 {
		return ""
	}
	return "\nNear misses, waits that used more than half of their limit:\n" + strings.Join(w.misses, "")
}

// watchedWait is an Eventually whose wait is timed. Gomega's other methods return assertions
// that are not timed; no suite needs them.
type watchedWait struct {
	gomega.AsyncAssertion
	gomega *watchedGomega
	limit  time.Duration
}

func (w *watchedWait) Should(matcher gomega.OmegaMatcher, description ...any) bool {
	GinkgoHelper()
	return w.time(w.AsyncAssertion.Should, matcher, description)
}

func (w *watchedWait) ShouldNot(matcher gomega.OmegaMatcher, description ...any) bool {
	GinkgoHelper()
	return w.time(w.AsyncAssertion.ShouldNot, matcher, description)
}

func (w *watchedWait) time(wait func(gomega.OmegaMatcher, ...any) bool, matcher gomega.OmegaMatcher, description []any) bool {
	GinkgoHelper()
	began := time.Now()
	succeeded := wait(matcher, description...)
	if succeeded {
		w.gomega.note(time.Since(began), w.limit)
	}
	return succeeded
}

func (w *watchedWait) WithTimeout(limit time.Duration) gomega.AsyncAssertion {
	return &watchedWait{w.AsyncAssertion.WithTimeout(limit), w.gomega, limit}
}

func (w *watchedWait) WithPolling(interval time.Duration) gomega.AsyncAssertion {
	return &watchedWait{w.AsyncAssertion.WithPolling(interval), w.gomega, w.limit}
}

func (w *watchedWait) WithArguments(arguments ...any) gomega.AsyncAssertion {
	return &watchedWait{w.AsyncAssertion.WithArguments(arguments...), w.gomega, w.limit}
}
