// Package testkit has the code that all Ginkgo suites share. Its subpackages serve some of the
// tests: cli runs kubectl and helm, cluster connects to a cluster, record and history keep the
// objects that a namespace had, flows builds JobFlows and reads their status, operator runs the
// operator's program, manifests reads YAML and runs helm, and kustomize renders config/.
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

// FailFast ends a suite at the first spec that fails. It is for suites in which a failed spec
// leaves a state behind that the next spec cannot start from.
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
	// With go test -v the output of the specs appears while they run.
	reporter.Verbose = testing.Verbose()
	ReportAfterSuite("slowest specs and near misses", func(report Report) {
		fmt.Print(slowest(report, 5), waits.report())
	})
	RunSpecs(t, name, suite, reporter)
}

// Saw logs what a spec observed, and when.
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
		// The format of hack/testlog: .ci/run finds these lines by their first word.
		fmt.Fprintf(&text, "slow %6.1fs %s\n", specs[i].RunTime.Seconds(), specs[i].FullText())
	}
	return text.String()
}
