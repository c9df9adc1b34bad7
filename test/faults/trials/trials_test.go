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
	budget = flag.Duration("budget", 0, "Begin no trial after this time, except for one of each scenario and mode; 0: make all trials.")
	only   = flag.String("only", "", "Make only trials whose name, as failures have it, matches this regular expression.")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "Chooses the order of the trials, and with it the sample.")
	// Most of a run is waiting for watches.
	together    = flag.Int("together", 8, "How many runs at the same time.")
	momentsEach = flag.Int("moments", 2, "At how many of the writes of a scenario each fault of the API server that happens once is tried.")
)

// TestTrials runs each scenario in peace, and then with each crash and each fault of the
// tables. However the operator dies and whatever happens to it, the outcome is that of
// the run in peace, and all invariants hold.
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
	trials := c.runInPeace(inPeace(wanted))
	trials, first := order(thin(matching(trials, wanted)))
	fmt.Printf("trials: %d to choose from, %d of them first\n", len(trials), first)
	over := func(i int) bool { return *budget > 0 && i >= first && time.Since(c.began) > *budget }
	drawn := c.run(trials, over, nil)
	c.report(drawn, len(trials))
}

// inPeace are the runs in which nothing goes wrong, of the scenarios and modes that a
// wanted trial may be made of.
func inPeace(wanted *regexp.Regexp) []trial {
	const most = 100 // writes of a scenario, and more
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

// thin shuffles the trials by the seed, and leaves of each fault that happens once as
// many moments as -moments says. Crashes are all left.
func thin(trials []trial) []trial {
	random := rand.New(rand.NewPCG(*seed, 0))
	// They came in any order, from runs side by side.
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

// order puts one trial of each scenario and mode first, and says how many these are. It
// changes nothing else in the order.
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
