package crash

import (
	"fmt"
	"sync"
	"testing"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// TestCrashes runs each scenario in peace and counts the writes of the operator. Then it
// runs it again for every one of them, and kills the operator right before or right
// after it. An operator with an empty memory takes over. However it dies, the outcome is
// that of the run in peace, and all invariants hold.
func TestCrashes(t *testing.T) {
	server, err := harness.StartAPIServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})

	campaign := scenario.NewCampaign(t, server, "crash")
	var mu sync.Mutex
	var crashes []scenario.Trial
	campaign.Run(scenario.InPeace(), func(trial scenario.Trial, result scenario.Result) {
		mu.Lock()
		defer mu.Unlock()
		crashes = append(crashes, crashesOf(trial, len(result.Writes))...)
	})
	figures := []report.Figure{{Name: "moments to die in", Value: fmt.Sprint(len(crashes))}}
	crashes = scenario.Only(crashes)
	if scenario.Short() {
		crashes = scenario.Sample(crashes, sampled, func(*scenario.Trial) string { return "" })
	}
	campaign.Run(crashes, nil)
	campaign.Report(figures...)
}

// crashesOf are all the deaths that an operator can die in a scenario.
func crashesOf(trial scenario.Trial, writes int) []scenario.Trial {
	var trials []scenario.Trial
	add := func(kind string, write int, inject scenario.Inject) {
		trials = append(trials, scenario.Trial{
			Scenario: trial.Scenario, Mode: trial.Mode, Fault: fmt.Sprintf("%s %d", kind, write), Kind: kind, Inject: inject,
		})
	}
	for n := 1; n <= writes; n++ {
		add(killOnce(n, before))
		add(killOnce(n, after))
	}
	add(killEach(1))
	add(killEach(2))
	return trials
}

// sampled is how many crashes of each scenario and mode a short run has.
const sampled = 2
