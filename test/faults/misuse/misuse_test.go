package misuse

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
)

// seed decides what is tried with webhooks and what without, and which of Kubernetes' own
// properties are tried: the same ones each time.
var seed = flag.Uint64("seed", 20230, "decides what is tried")

// only picks trials by what they are called, as in the messages about them.
var only = flag.String("only", "", "a regular expression: trials whose name it does not match are left out")

// sample picks a few values of each property: three minutes instead of fifteen.
var sample = flag.Bool("sample", false, "try a few values of each property instead of all")

const workers = 8

func TestMisuse(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	c := startCluster(t)
	t.Logf("seed %d", *seed)
	tried := 0
	for i := range rows {
		row := &rows[i]
		t.Run(row.name, func(t *testing.T) {
			part := c.misuse(ctx, t, row)
			tried += part.Faults
			if err := part.Write(); err != nil {
				t.Error(err)
			}
		})
	}
	if tried == 0 {
		t.Errorf("there is no trial whose name matches %q", *only)
	}
}

// misuse makes all trials of a row.
func (c *cluster) misuse(ctx context.Context, t *testing.T, r *row) *report.Part {
	part := &report.Part{Name: "misuse/" + r.name}
	var violations sync.Mutex
	violate := func(format string, args ...any) {
		violation := fmt.Sprintf(format, args...)
		t.Error(violation)
		violations.Lock()
		defer violations.Unlock()
		part.Violations = append(part.Violations, violation)
	}
	base, err := c.baseline(ctx, r)
	if err != nil {
		violate("%s: %v", r.name, err)
		return part
	}
	picked, err := regexp.Compile(*only)
	must(t, err)
	trials := slices.DeleteFunc(r.trials(t), func(one *trial) bool { return !picked.MatchString(one.String()) })
	began := time.Now()
	reconciledBefore, err := total("controller_runtime_reconcile_total")
	must(t, err)

	outcomes := make([]outcome, len(trials))
	var all errgroup.Group
	all.SetLimit(workers)
	for i := range trials {
		all.Go(func() (err error) {
			if outcomes[i], err = c.try(ctx, trials[i], base); err != nil {
				violate("%s: %v", trials[i], err)
			}
			return nil
		})
	}
	_ = all.Wait() // the functions return no error

	count := map[outcome]int{}
	properties, late := sets.New[string](), sets.New[string]()
	for i, one := range trials {
		count[outcomes[i]]++
		if outcomes[i] != untried {
			properties.Insert(one.property.String())
		}
		if outcomes[i] == reported && one.admission && !one.property.below(r.kubernetes...) {
			late.Insert(strings.TrimPrefix(one.property.String(), r.walk+"."))
		}
	}
	part.Faults = len(trials) - count[untried]
	if part.Faults == 0 && *only == "" {
		violate("%s: no value was tried", r.name)
	}
	part.Checks = part.Faults + 3
	c.checkQuiet(ctx, violate)
	reconciled, err := total("controller_runtime_reconcile_total")
	must(t, err)
	part.Add("properties", properties.Len())
	part.Add("values", part.Faults)
	for _, o := range []outcome{refused, reported, effective, same, later, stored} {
		part.Add(string(o), count[o])
	}
	part.Add("properties of ours with a wrong value that admission takes, and status reports", strings.Join(sets.List(late), ", "))
	part.Add("reconciles for each value", fmt.Sprintf("%.1f", (reconciled-reconciledBefore)/float64(max(1, part.Faults))))
	part.Add("took", time.Since(began).Round(time.Second))
	return part
}

// baseline is what people see of the row's object where nobody did anything wrong.
func (c *cluster) baseline(ctx context.Context, r *row) (*view, error) {
	right := object(r.base)
	namespace, err := c.namespace(ctx, true)
	if err != nil {
		return nil, err
	}
	right.SetNamespace(namespace)
	if err := c.createBeside(ctx, r, namespace); err != nil {
		return nil, err
	}
	if err := c.client.Create(ctx, right.DeepCopy()); err != nil {
		return nil, err
	}
	subject, err := c.use(ctx, r, right)
	if err != nil {
		return nil, err
	}
	var seen *view
	err = eventually(longestReaction, func() error {
		var err error
		if seen, err = c.see(ctx, subject); err != nil {
			return err
		}
		if !seen.Observed || len(seen.Jobs) == 0 || len(seen.Jobs) != len(seen.Runs) || complains(seen) {
			return fmt.Errorf("the right object does not run: %s", seen)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return seen, c.clear(ctx, namespace)
}

// undecodable are the names of values that a careless schema takes and Go does not.
var undecodable = []string{"'1e1.5'", "one more than 32 bits hold", "more than 64 bits hold"}

// sampleValues is the number of values that a sample tries for each property of our own.
const sampleValues = 3

// trials are all values of all properties that are ours, from the start and by a change,
// each with webhooks or without; and some values of some of those that are Kubernetes'
// own. A sample has some values of each.
func (r *row) trials(t *testing.T) []*trial {
	t.Helper()
	ours, kubernetes := r.properties(t)
	random := rand.New(rand.NewPCG(*seed, uint64(len(r.name))))
	var list []*trial
	for _, p := range ours {
		values := valuesFor(p)
		if *sample {
			random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
			values = values[:min(sampleValues, len(values))]
		}
		for _, v := range values {
			all := []*trial{{r, p, v, random.IntN(2) == 0, false}, {r, p, v, random.IntN(2) == 0, true}}
			if *sample {
				all = all[random.IntN(len(all)):][:1]
			}
			list = append(list, all...)
		}
	}
	// One object that the operator cannot decode would stop its watches for all.
	for _, p := range kubernetes {
		for _, v := range valuesFor(p) {
			if p.schema().XIntOrString && slices.Contains(undecodable, v.name) {
				list = append(list, &trial{r, p, v, false, false})
			}
		}
	}
	sampled, tried := 80, 6
	if *sample {
		sampled, tried = 12, 3
	}
	random.Shuffle(len(kubernetes), func(i, j int) { kubernetes[i], kubernetes[j] = kubernetes[j], kubernetes[i] })
	for _, p := range kubernetes[:min(sampled, len(kubernetes))] {
		values := valuesFor(p)
		random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		for _, v := range values[:min(tried, len(values))] {
			list = append(list, &trial{r, p, v, random.IntN(2) == 0, random.IntN(2) == 0})
		}
	}
	return list
}

// checkQuiet: nothing has panicked, the operator is alive, and it has nothing more to do.
func (c *cluster) checkQuiet(ctx context.Context, violate func(string, ...any)) {
	for _, name := range []string{"controller_runtime_reconcile_panics_total", "controller_runtime_webhook_panics_total"} {
		if n, err := total(name); err != nil || n > 0 {
			violate("%s is %v, %v", name, n, err)
		}
	}
	if c.operator.Alive().Err() != nil {
		violate("the operator is dead")
	}
	limited, cancel := context.WithTimeout(ctx, longestReaction)
	defer cancel()
	if err := c.operator.WaitIdle(limited, 0, time.Second); err != nil {
		violate("the operator does not go quiet: %v", err)
	}
}
