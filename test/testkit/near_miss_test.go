package testkit

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
)

func TestNearMisses(t *testing.T) {
	watched := &watchedGomega{Gomega: gomega.NewGomega(func(string, ...int) {}), limit: time.Hour}
	// pass succeeds the second time.
	pass := func() func() bool {
		calls := 0
		return func() bool { calls++; return calls > 1 }
	}
	watched.Eventually(pass()).WithPolling(15 * time.Millisecond).Should(gomega.BeTrue())
	watched.Eventually(pass()).WithPolling(time.Millisecond).WithTimeout(time.Hour).Should(gomega.BeTrue())
	watched.Eventually(func() bool { return false }).WithTimeout(20 * time.Millisecond).Should(gomega.BeTrue())
	watched.Consistently(pass()).WithTimeout(20 * time.Millisecond).ShouldNot(gomega.BeNil())
	if report := watched.report(); report != "" {
		t.Errorf("no wait that succeeded came close to its limit, but the report is %q", report)
	}

	watched.note(3*time.Minute, 5*time.Minute)
	if report := watched.report(); !strings.Contains(report, "180.0s of 5m0s") || !strings.Contains(report, "near_miss_test.go:") {
		t.Errorf("the report of a near miss is %q", report)
	}
}
