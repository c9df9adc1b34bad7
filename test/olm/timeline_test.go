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

// reaches waits until what a JSONPath finds in an object is wanted.
func (t *timeline) reaches(ctx context.Context, wanted string, o object, path string) {
	GinkgoHelper()
	await(ctx, o, path, Equal(wanted))
	t.note("%s: %s", o, wanted)
}
