package trials

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// campaign makes many runs and counts their results.
type campaign struct {
	t      *testing.T
	server *harness.APIServer
	began  time.Time

	mu    sync.Mutex
	lives int
	// struck counts injected faults by kind; missed counts trials whose fault did not happen.
	struck map[string]int
	missed int
	runs   int
	part   report.Part
}

func newCampaign(t *testing.T, server *harness.APIServer) *campaign {
	return &campaign{t: t, server: server, began: time.Now(), struck: map[string]int{}, part: report.Part{Name: "trials"}}
}

// runInPeace makes the runs without faults. They show that the scenarios are right, and count
// the writes at which a fault can happen. It returns the trials that follow from these counts.
func (c *campaign) runInPeace(runs []trial) []trial {
	var mu sync.Mutex
	var trials []trial
	c.run(runs, func(int) bool { return false }, func(peace *trial, result *scenario.Result) {
		events := 0
		for _, write := range result.Writes {
			if isEventPath(write.Path) {
				events++
			}
		}
		mu.Lock()
		defer mu.Unlock()
		trials = append(trials, trialsOf(peace, len(result.Writes), events)...)
	})
	return trials
}

// run makes trials, several concurrently, until it has made all of them or over(i) is true for
// the next one. It returns how many it made, and passes each result to seen, which may be nil.
func (c *campaign) run(trials []trial, over func(i int) bool, seen func(*trial, *scenario.Result)) (made int) {
	var runs errgroup.Group
	runs.SetLimit(*together)
	for made < len(trials) && !over(made) {
		trial := &trials[made]
		runs.Go(func() error {
			result := c.try(trial)
			if seen != nil {
				seen(trial, &result)
			}
			return nil
		})
		made++
	}
	_ = runs.Wait() // the functions return no error
	return made
}

// attempts limits how often a trial is made if its fault does not happen: the operator batches
// its writes differently in each run, so their number varies.
const attempts = 3

func (c *campaign) try(trial *trial) (result scenario.Result) {
	for range attempts {
		var err error
		result, err = scenario.Run(context.Background(), c.server, trial.scenario, trial.mode, trial.inject)
		if err != nil {
			result.Violations = append(result.Violations, fmt.Sprintf("the run itself went wrong: %v", err))
		}
		c.count(trial, &result)
		if trial.inject == nil || result.Injected > 0 || len(result.Violations) > 0 {
			return result
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.missed++
	return result
}

// count adds the result of a run to the totals.
func (c *campaign) count(trial *trial, result *scenario.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lives += result.Lives
	c.part.Faults += result.Injected
	if trial.inject != nil {
		c.struck[trial.kind] += result.Injected
	}
	c.part.Checks += result.Checks
	for _, violation := range result.Violations {
		c.violated(trial.name() + ": " + violation + "\n" + again(trial))
	}
	c.runs++
	const step = 50
	if c.runs%step == 0 {
		c.progress()
	}
}

// again returns the command that repeats one trial.
func again(trial *trial) string {
	return fmt.Sprintf(`make faults-trials FAULTS_FLAGS='-only "^%s\z"'`, regexp.QuoteMeta(trial.name()))
}

// violated records a violation. The caller holds mu.
func (c *campaign) violated(violation string) {
	c.t.Error(violation)
	c.part.Violations = append(c.part.Violations, strings.ReplaceAll(violation, "\n", "; again: "))
}

func (c *campaign) progress() {
	fmt.Printf("trials: %d runs, %d faults, %d operators, %d violations, %s\n", c.runs, c.part.Faults, c.lives,
		len(c.part.Violations), time.Since(c.began).Round(time.Second))
}

// report writes the part for the summary. When all trials were made, it fails for a kind of
// fault that never happened, since the trials with it tested nothing.
func (c *campaign) report(drawn, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress()
	for kind, times := range c.struck {
		if times == 0 && drawn == all {
			c.violated(kind + ": it never happened")
		}
	}
	c.part.Add("trials drawn", fmt.Sprintf("%d of %d, seed %d", drawn, all, *seed))
	c.part.Add("to repeat one", again(&trial{scenario: &scenario.Scenario{Name: "SCENARIO"}, mode: "MODE", fault: "FAULT"}))
	c.part.Add("trials whose fault did not happen", c.missed)
	c.part.Add("runs", c.runs)
	c.part.Add("operators started", c.lives)
	c.part.Add("duration", time.Since(c.began).Round(time.Second))
	if err := c.part.Write(); err != nil {
		c.t.Error(err)
	}
}
