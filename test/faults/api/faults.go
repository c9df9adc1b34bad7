// Package api has faults of the API server and of what lies between it and the operator:
// refusals, lost answers, watches that lag, break and repeat themselves, lost leases,
// clocks that jump, Jobs that people delete. See faults_test.go.
package api

import (
	"fmt"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// row is a fault that each scenario is run with.
type row struct {
	name   string
	inject scenario.Inject
	// fits says for which scenarios; nil for all.
	fits func(*scenario.Scenario, scenario.Mode) bool
}

// faults happen all through a run.
var faults = []row{
	{name: "conflict on every write", inject: refused(http.StatusConflict, metav1.StatusReasonConflict)},
	{name: "overtaken by somebody else's write", inject: answeredTo(isPatch, overtaken)},
	{name: "429 with Retry-After", inject: refused(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests)},
	{name: "500", inject: refused(http.StatusInternalServerError, metav1.StatusReasonInternalError)},
	{name: "503", inject: refused(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable)},
	{name: "connection reset", inject: answered(reset)},
	{name: "answer lost", inject: answered(lost)},

	{name: "events late", inject: shaped(late, delayed())},
	{name: "Jobs late", inject: shaped(late, delayed("jobs"))},
	{name: "parents late", inject: shaped(late, delayed("jobflows", "daemonjobs"))},
	{name: "pods late", inject: shaped(late, delayed("pods")), fits: withPods},
	{name: "nodes late", inject: shaped(late, delayed("nodes")), fits: withNodes},
	{name: "JobTemplates late", inject: shaped(late, delayed("jobtemplates")), fits: withTemplates},
	{name: "events doubled", inject: shaped(0, doubled)},
	{name: "events coalesced", inject: shaped(2*window, coalesced)},
	{name: "watches silent for a while", inject: shaped(late, silent)},
	{name: "watches break", inject: shaped(0, broken)},
	{name: "watches end with 410", inject: shaped(0, forgotten)},

	{name: "clock steps backwards", inject: clockJumps(-time.Hour), fits: untimed},
	{name: "clock steps forwards", inject: clockJumps(time.Hour), fits: untimed},
	{name: "clock jumps to and fro", inject: clockJumps(-time.Minute, 0, time.Minute, 20*time.Second), fits: untimed},
}

// moment is a fault that happens once, at one of the writes of a run in peace.
type moment struct {
	name   string
	inject func(write int) scenario.Inject
	fits   func(*scenario.Scenario, scenario.Mode) bool
}

var moments = []moment{
	{"all Jobs deleted after write", deleted, nil},
	{"a restart meets an API server that knows nothing yet, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).FirstVersion)
	}, nil},
	{"a restart meets an API server that is half way behind, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).MiddleVersion)
	}, nil},
	{"a restart meets old Jobs, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).FirstVersion, "jobs", "pods")
	}, nil},
	{"a restart meets parents without a status, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).BirthVersion, "jobflows", "daemonjobs", "jobtemplates", "nodes")
	}, nil},
	{"the lease is lost with a request on its way, write", leaseLost, nil},
}

func withPods(_ *scenario.Scenario, mode scenario.Mode) bool { return mode == scenario.PodsSucceeded }

func withNodes(s *scenario.Scenario, _ scenario.Mode) bool { return s.OnNodes() }

func withTemplates(s *scenario.Scenario, _ scenario.Mode) bool { return s.UsesJobTemplates() }

// untimed leaves out what ends by the clock: it would end at another time.
func untimed(s *scenario.Scenario, _ scenario.Mode) bool { return !s.Timed }

// trialsOf are all faults of one scenario, whose run in peace has had so many writes.
func trialsOf(trial scenario.Trial, writes int) []scenario.Trial {
	var trials []scenario.Trial
	add := func(name, kind string, inject scenario.Inject, fits func(*scenario.Scenario, scenario.Mode) bool) {
		if fits == nil || fits(trial.Scenario, trial.Mode) {
			trials = append(trials, scenario.Trial{Scenario: trial.Scenario, Mode: trial.Mode, Fault: name, Kind: kind, Inject: inject})
		}
	}
	for _, f := range faults {
		add(f.name, f.name, f.inject, f.fits)
	}
	for _, m := range moments {
		for n := 1; n <= writes; n++ {
			add(fmt.Sprintf("%s %d", m.name, n), m.name, m.inject(n), m.fits)
		}
	}
	return trials
}
