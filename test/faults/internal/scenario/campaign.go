package scenario

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
)

var (
	only = flag.String("only", "", "Try only faults whose name, as failures have it, matches this regular expression.")
	seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "Chooses the sample.")
	// Most of a run is waiting for watches.
	together = flag.Int("together", 8, "How many runs at the same time.")
)

// Short says whether a sample is to do instead of everything: FAULTS=short.
func Short() bool { return os.Getenv("FAULTS") == "short" }

// Trial is one run of a campaign.
type Trial struct {
	Scenario *Scenario
	Mode     Mode
	// Fault names what goes wrong, Kind is the same without the write that it happens at.
	Fault, Kind string
	// Inject is nil where nothing goes wrong.
	Inject Inject
}

// Name is unique in a campaign, and what the flag -only is matched with.
func (t *Trial) Name() string { return fmt.Sprintf("%s/%s/%s", t.Scenario.Name, t.Mode, t.Fault) }

// Only leaves those that the flag -only asks for. Runs in peace are always made, since
// the faults are made of what they write.
func Only(trials []Trial) []Trial {
	wanted := regexp.MustCompile(*only)
	return slices.DeleteFunc(trials, func(t Trial) bool { return !wanted.MatchString(t.Name()) })
}

// Sample takes at random at most so many trials of each scenario, mode and group.
func Sample(trials []Trial, most int, group func(*Trial) string) []Trial {
	random := rand.New(rand.NewPCG(*seed, 0))
	// They came in any order, from runs side by side.
	slices.SortFunc(trials, func(a, b Trial) int { return strings.Compare(a.Name(), b.Name()) })
	random.Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
	taken := map[string]int{}
	return slices.DeleteFunc(trials, func(t Trial) bool {
		key := fmt.Sprint(t.Scenario.Name, t.Mode, group(&t))
		taken[key]++
		return taken[key] > most
	})
}

// InPeace are the runs in which nothing goes wrong: they show that the scenarios are
// right, and how many writes there are to go wrong.
func InPeace() []Trial {
	var trials []Trial
	for _, s := range All() {
		for _, mode := range s.Modes() {
			trials = append(trials, Trial{Scenario: &s, Mode: mode, Fault: "in peace"})
		}
	}
	return trials
}

// Campaign makes many runs and keeps the score.
type Campaign struct {
	t      *testing.T
	server *harness.APIServer
	began  time.Time
	total  int

	mu    sync.Mutex
	done  int
	lives int
	// struck is how often each kind of fault has happened; missed is in how many runs
	// none did.
	struck map[string]int
	missed int
	part   report.Part
}

// NewCampaign starts one that reports under a name.
func NewCampaign(t *testing.T, server *harness.APIServer, name string) *Campaign {
	fmt.Printf("%s: -seed %d\n", name, *seed)
	return &Campaign{t: t, server: server, began: time.Now(), struck: map[string]int{}, part: report.Part{Name: name}}
}

// Run makes all trials, some of them at the same time, and gives each result to seen,
// which may be nil.
func (c *Campaign) Run(trials []Trial, seen func(Trial, Result)) {
	c.mu.Lock()
	c.total += len(trials)
	c.mu.Unlock()
	next := make(chan Trial)
	var workers sync.WaitGroup
	for range *together {
		workers.Go(func() {
			for trial := range next {
				c.try(trial, seen)
			}
		})
	}
	for _, trial := range trials {
		next <- trial
	}
	close(next)
	workers.Wait()
}

// attempts is how often a run is made whose fault does not happen: what is written
// together differs from run to run, and with it how many writes there are.
const attempts = 3

func (c *Campaign) try(trial Trial, seen func(Trial, Result)) {
	var result Result
	for range attempts {
		var err error
		result, err = Run(context.Background(), c.server, trial.Scenario, trial.Mode, trial.Inject)
		if err != nil {
			result.Violations = append(result.Violations, fmt.Sprintf("the run itself went wrong: %v", err))
		}
		c.count(&trial, &result)
		if trial.Inject == nil || result.Injected > 0 || len(result.Violations) > 0 {
			break
		}
	}
	c.mu.Lock()
	c.done++
	if trial.Inject != nil && result.Injected == 0 {
		c.missed++
	}
	const step = 50
	if c.done%step == 0 {
		c.progress()
	}
	c.mu.Unlock()
	if seen != nil {
		seen(trial, result)
	}
}

// count adds what a run has come to.
func (c *Campaign) count(trial *Trial, result *Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lives += result.Lives
	c.part.Faults += result.Injected
	if trial.Inject != nil {
		c.struck[trial.Kind] += result.Injected
	}
	c.part.Checks += result.Checks
	for _, violation := range result.Violations {
		c.violated(trial.Name() + ": " + violation)
	}
}

// violated is called with mu held.
func (c *Campaign) violated(violation string) {
	c.t.Error(violation)
	c.part.Violations = append(c.part.Violations, violation)
}

func (c *Campaign) progress() {
	fmt.Printf("%s: %d of %d runs, %d faults, %d operators, %d violations, %s\n", c.part.Name, c.done, c.total, c.part.Faults, c.lives,
		len(c.part.Violations), time.Since(c.began).Round(time.Second))
}

// Report writes the part for the summary. A kind of fault that never happened has
// tested nothing.
func (c *Campaign) Report(figures ...report.Figure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress()
	if len(c.struck) == 0 {
		c.violated(fmt.Sprintf("there is no fault whose name matches %q", *only))
	}
	for kind, times := range c.struck {
		// A sample may have it where it does not strike.
		if times == 0 && !Short() {
			c.violated(kind + ": it never happened")
		}
	}
	c.part.Add("runs", c.done)
	c.part.Add("runs whose fault did not happen", c.missed)
	c.part.Add("operators started", c.lives)
	c.part.Figures = append(c.part.Figures, figures...)
	c.part.Add("duration", time.Since(c.began).Round(time.Second))
	if err := c.part.Write(); err != nil {
		c.t.Error(err)
	}
}
