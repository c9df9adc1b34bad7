// Package testkit has what the test suites share. Its subpackages have what they share
// about a cluster: cli runs kubectl and helm, cluster connects, record remembers Jobs and
// pods, flows builds JobFlows and reads their status.
package testkit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
)

// Hang is the limit of every wait.
const Hang = limit.Hang

// FailFast lets a suite end with the first spec that fails, where that spec leaves behind
// what the next one could not start with.
func FailFast(suite *types.SuiteConfig) { suite.FailFast = true }

// Run runs the specs of a package with the limits that all suites have. At the end it
// prints the slowest specs, and the waits that came close to their limit.
func Run(t *testing.T, name string, options ...func(*types.SuiteConfig)) {
	gomega.RegisterFailHandler(Fail)
	gomega.SetDefaultEventuallyTimeout(Hang)
	gomega.SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	gomega.SetDefaultConsistentlyDuration(2 * time.Second)
	gomega.EnforceDefaultTimeoutsWhenUsingContexts()
	waits := &watchedGomega{Gomega: gomega.Default, limit: Hang}
	gomega.Default = waits

	suite, reporter := GinkgoConfiguration()
	for _, option := range options {
		option(&suite)
	}
	// go test -v shows what the specs see while they see it.
	reporter.Verbose = testing.Verbose()
	ReportAfterSuite("slowest specs and near misses", func(report Report) {
		fmt.Print(slowest(report, 5), waits.report())
	})
	RunSpecs(t, name, suite, reporter)
}

// Saw tells the reader of the output what a spec saw, and when.
func Saw(format string, arguments ...any) {
	GinkgoWriter.Printf("  %s saw %s\n", time.Now().Format("15:04:05.0"), fmt.Sprintf(format, arguments...))
}

func slowest(report Report, count int) string {
	specs := slices.DeleteFunc(slices.Clone(report.SpecReports), func(spec SpecReport) bool {
		return spec.LeafNodeType != types.NodeTypeIt || spec.RunTime == 0
	})
	slices.SortFunc(specs, func(a, b SpecReport) int { return cmp.Compare(b.RunTime, a.RunTime) })
	var text strings.Builder
	text.WriteString("\n")
	for i := range specs[:min(count, len(specs))] {
		// As hack/testlog has it: .ci/run finds these lines by their first word.
		fmt.Fprintf(&text, "slow %6.1fs %s\n", specs[i].RunTime.Seconds(), specs[i].FullText())
	}
	return text.String()
}
