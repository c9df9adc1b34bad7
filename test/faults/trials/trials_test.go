package trials

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

var (
	budget = flag.Duration("budget", 0, "Start no trial after this time, except the first of each scenario and mode; 0 makes all trials.")
	only   = flag.String("only", "", "Make only the trials whose name, as in failures, matches this regular expression.")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "Seed of the order of the trials, which also decides the sample.")
	// A run mostly waits for watches.
	together    = flag.Int("together", 8, "Number of runs at the same time.")
	momentsEach = flag.Int("moments", 2, "Number of writes per scenario at which each one-time fault of the API server is tried.")
)

// TestTrials runs each scenario without faults, and then with the crashes and faults of the
// tables: all of them, or a sample if -budget is set. Whatever happens to the operator, the
// outcome is the one of the scenario, and all invariants hold.
func TestTrials(t *testing.T) {
	server, err := harness.StartAPIServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})

	fmt.Printf("trials: -seed %d\n", *seed)
	c := newCampaign(t, server)
	wanted := regexp.MustCompile(*only)
	runs := inPeace(wanted)
	trials := c.runInPeace(runs)
	trials, first := order(thin(matching(trials, wanted)))
	fmt.Printf("trials: %d to choose from, %d of them first\n", len(trials), first)
	over := func(i int) bool { return *budget > 0 && i >= first && time.Since(c.began) > *budget }
	drawn := c.run(trials, over, nil)
	if len(trials)+len(matching(runs, wanted)) == 0 {
		t.Errorf("there is no trial whose name matches %q", *only)
	}
	c.report(drawn, len(trials))
}

// inPeace returns the runs without faults, one for each scenario and mode that may have a
// wanted trial.
func inPeace(wanted *regexp.Regexp) []trial {
	const most = 100 // more writes than any scenario has
	var runs []trial
	for _, s := range scenario.All() {
		for _, mode := range s.Modes() {
			peace := trial{scenario: &s, mode: mode, fault: "in peace"}
			if wanted.MatchString(peace.name()) || len(matching(trialsOf(&peace, most, 0), wanted)) > 0 {
				runs = append(runs, peace)
			}
		}
	}
	return runs
}

func matching(trials []trial, wanted *regexp.Regexp) []trial {
	return slices.DeleteFunc(trials, func(t trial) bool { return !wanted.MatchString(t.name()) })
}

// thin shuffles the trials by the seed. Of each one-time fault of the API server it keeps only
// -moments trials for each scenario and mode. It keeps all crashes.
func thin(trials []trial) []trial {
	random := rand.New(rand.NewPCG(*seed, 0))
	// Concurrent runs added the trials in a random order.
	slices.SortFunc(trials, func(a, b trial) int { return strings.Compare(a.name(), b.name()) })
	random.Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
	taken := map[string]int{}
	return slices.DeleteFunc(trials, func(t trial) bool {
		if !t.moment {
			return false
		}
		key := t.place() + t.kind
		taken[key]++
		return taken[key] > *momentsEach
	})
}

// order moves one trial of each scenario and mode to the front, and returns how many these
// are. It keeps the order otherwise.
func order(trials []trial) (ordered []trial, first int) {
	var others []trial
	begun := map[string]bool{}
	for _, t := range trials {
		if begun[t.place()] {
			others = append(others, t)
			continue
		}
		begun[t.place()] = true
		ordered = append(ordered, t)
	}
	return append(ordered, others...), len(ordered)
}
