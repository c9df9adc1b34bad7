package olm

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// timeline is what happened when, in seconds from its start.
type timeline struct {
	name  string
	start time.Time
	lines []string
}

// newTimeline shows itself when the spec ends.
func newTimeline(name string) *timeline {
	t := &timeline{name: name, start: time.Now()}
	DeferCleanup(func() {
		AddReportEntry("Timeline", fmt.Sprintf("%s\n%s", t.name, strings.Join(t.lines, "\n")), ReportEntryVisibilityNever)
		GinkgoWriter.Printf("\n  Timeline: %s\n%s\n\n", t.name, strings.Join(t.lines, "\n"))
	})
	return t
}

func (t *timeline) note(format string, arguments ...any) {
	line := fmt.Sprintf("  %6.1fs  %s", time.Since(t.start).Seconds(), fmt.Sprintf(format, arguments...))
	t.lines = append(t.lines, line)
	GinkgoWriter.Println(line)
}

// reaches waits until what kubectl's JSONPath finds is wanted.
func (t *timeline) reaches(ctx context.Context, within time.Duration, wanted, object, namespace, jsonPath string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) string {
		return field(ctx, object, namespace, jsonPath)
	}).WithTimeout(within).Should(Equal(wanted), "%s of %s", jsonPath, object)
	t.note("%s: %s", object, wanted)
}
