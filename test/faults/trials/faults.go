// Package trials runs every scenario with crashes and faults. kills.go kills the operator at
// each of its writes. The other files have faults of the API server and of the connection to
// it: refusals, lost answers, watches that lag, break and repeat events, lost leases, clocks
// that jump, and Jobs that users delete. See trials_test.go.
package trials

import (
	"fmt"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// row is a fault, with which each scenario runs.
type row struct {
	name   string
	inject scenario.Inject
	// fits selects scenarios and modes; nil selects all.
	fits func(*scenario.Scenario, scenario.Mode) bool
}

// faults last for a whole run.
var faults = []row{
	{name: "conflict on every write", inject: refused(http.StatusConflict, metav1.StatusReasonConflict)},
	{name: "overtaken by another write", inject: answeredTo(isPatch, overtaken)},
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

// moment is a fault that happens once, at one of the writes. The run without faults counts them.
type moment struct {
	name   string
	inject func(write int) scenario.Inject
	// sparesEvents is true if Events of the operator do not count as writes.
	sparesEvents bool
}

var moments = []moment{
	{"all Jobs deleted after write", deleted, true},
	{"a restart meets an API server that knows nothing yet, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).FirstVersion)
	}, false},
	{"a restart meets an API server that is half way behind, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).MiddleVersion)
	}, false},
	{"a restart meets old Jobs, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).FirstVersion, "jobs", "pods")
	}, false},
	{"a restart meets parents without a status, after write", func(n int) scenario.Inject {
		return lagging(n, (*scenario.World).BirthVersion, "jobflows", "daemonjobs", "jobtemplates", "nodes")
	}, false},
	{"the lease is lost with a request on its way, write", leaseLost, true},
}

func withPods(_ *scenario.Scenario, mode scenario.Mode) bool { return mode == scenario.PodsSucceeded }

func withNodes(s *scenario.Scenario, _ scenario.Mode) bool { return s.OnNodes() }

func withTemplates(s *scenario.Scenario, _ scenario.Mode) bool { return s.UsesJobTemplates() }

// untimed leaves out scenarios that end by the clock: they would end at another time.
func untimed(s *scenario.Scenario, _ scenario.Mode) bool { return !s.Timed }

// trial is a scenario in a mode, with a fault or without one.
type trial struct {
	scenario *scenario.Scenario
	mode     scenario.Mode
	// fault is the name of the fault; kind is the same without the number of the write.
	fault, kind string
	// moment is true if the flag -moments limits the number of trials of this kind.
	moment bool
	inject scenario.Inject // nil without a fault
}

// place returns the prefix of the names of all trials of one scenario and mode.
func (t *trial) place() string { return fmt.Sprintf("%s/%s/", t.scenario.Name, t.mode) }

// name returns the unique name, which the flag -only has to match.
func (t *trial) name() string { return t.place() + t.fault }

// trialsOf returns the trials with all crashes and faults of a scenario. writes is the number
// of writes in its run without faults, and events is how many of them are Events.
func trialsOf(peace *trial, writes, events int) []trial {
	var trials []trial
	add := func(kind string, write int, moment bool, inject scenario.Inject) {
		t := trial{scenario: peace.scenario, mode: peace.mode, fault: kind, kind: kind, moment: moment, inject: inject}
		if write > 0 {
			t.fault = fmt.Sprintf("%s %d", kind, write)
		}
		trials = append(trials, t)
	}
	for n := 1; n <= writes; n++ {
		add("killed before write", n, false, killOnce(n, before))
		add("killed after write", n, false, killOnce(n, after))
	}
	add("killed again and again after write", 1, false, killEach(1))
	add("killed again and again after write", 2, false, killEach(2))
	for _, f := range faults {
		if f.fits == nil || f.fits(peace.scenario, peace.mode) {
			add(f.name, 0, false, f.inject)
		}
	}
	for _, m := range moments {
		last := writes
		if m.sparesEvents {
			last -= events
		}
		for n := 1; n <= last; n++ {
			add(m.name, n, true, m.inject(n))
		}
	}
	return trials
}
