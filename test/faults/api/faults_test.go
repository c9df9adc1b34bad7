package api

import (
	"flag"
	"sync"
	"testing"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// TestFaults runs each scenario with each fault of the table. The outcome is that of the
// run in peace, and all invariants hold.
func TestFaults(t *testing.T) {
	server, err := harness.StartAPIServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})

	campaign := scenario.NewCampaign(t, server, "api")
	var mu sync.Mutex
	var trials []scenario.Trial
	campaign.Run(scenario.InPeace(), func(trial scenario.Trial, result scenario.Result) {
		mu.Lock()
		defer mu.Unlock()
		trials = append(trials, trialsOf(trial, len(result.Writes))...)
	})
	trials = scenario.Only(trials)
	if scenario.Short() {
		trials = scenario.Sample(trials, inShort, func(*scenario.Trial) string { return "" })
	} else {
		trials = scenario.Sample(trials, *momentsEach, func(t *scenario.Trial) string { return t.Kind })
	}
	campaign.Run(trials, nil)
	campaign.Report()
}

// inShort is how many faults a short run has for each scenario and mode.
const inShort = 2

var momentsEach = flag.Int("moments", 2, "At how many of the writes of a scenario each fault that happens once is tried.")
