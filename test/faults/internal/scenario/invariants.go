package scenario

import (
	"fmt"
	"sync"

	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// Invariant must hold at the end of every run, whatever happened in it.
type Invariant struct {
	Name string
	// Broken says what is wrong, and nothing if all is well.
	Broken func(w *World) []string
}

// Invariants are those that the record is checked for. That the outcome is the right
// one, and that nothing is written after the end, World.Run checks by itself.
var Invariants = []Invariant{
	{"every step's Job is created once an attempt", createdOnce},
	{"a Job is created after its dependencies are done", inOrder},
	{"no Job is an orphan", noOrphan},
	{"a result that is recorded stays", func(w *World) []string { return w.ledger.results.Broken() }},
	{"nothing is created after the end", nothingAfterEnd},
}

func createdOnce(w *World) []string {
	times := map[string]int{}
	var broken []string
	for _, job := range w.Record.Jobs() {
		if job.Run != "" {
			times[w.short(job.Run)]++
		}
	}
	for run, n := range times {
		if want := max(1, w.scenario.Attempts[run]); n > want {
			broken = append(broken, fmt.Sprintf("%d Jobs were created for %s, not %d", n, run, want))
		}
	}
	_, _, runs := w.parent()
	for i := range runs {
		run := &runs[i]
		if n := times[w.short(run.Name)]; n != int(run.Attempt) {
			broken = append(broken, fmt.Sprintf("status counts %d attempts of %s, and %d Jobs were created", run.Attempt, w.short(run.Name), n))
		}
	}
	return broken
}

// inOrder compares resource versions: of the creation of a Job with those of the
// conditions, or with PodsSucceeded the pods, of the Jobs that it depends on.
func inOrder(w *World) []string {
	spec := w.ledger.flow()
	if spec == nil {
		return nil
	}
	jobs := map[string]harness.JobHistory{}
	for _, job := range w.Record.Jobs() {
		jobs[job.Run] = job
	}
	var broken []string
	for i := range spec.Flows {
		step := &spec.Flows[i]
		job, created := jobs[step.Name]
		for _, name := range step.Dependencies {
			if dependency := jobs[name]; created && !doneBefore(&dependency, job.Created, spec) {
				broken = append(broken, fmt.Sprintf("the Job of %s was created at %d, before that of %s was done (Complete at %d, pods at %v)",
					step.Name, job.Created, name, dependency.Completed, dependency.PodsSucceeded))
			}
		}
	}
	return broken
}

func doneBefore(job *harness.JobHistory, version int64, spec *v1alpha1.JobFlowSpec) bool {
	if job.Completed != 0 && job.Completed < version {
		return true
	}
	if spec.StartOn != v1alpha1.StartOnPodsSucceeded {
		return false
	}
	completions := 1
	for i := range spec.Flows {
		if template := spec.Flows[i].JobTemplate; spec.Flows[i].Name == job.Run && template != nil {
			completions = int(ptr.Deref(template.Completions, 1))
		}
	}
	succeeded := 0
	for _, at := range job.PodsSucceeded {
		if at < version {
			succeeded++
		}
	}
	return succeeded >= completions
}

// noOrphan: each Job that is there has an owner that is there too and has it in its
// status.
func noOrphan(w *World) []string {
	parent, _, runs := w.parent()
	entered := map[string]bool{}
	for i := range runs {
		entered[runs[i].JobUID] = true
	}
	var broken []string
	for _, job := range w.Record.Jobs() {
		switch {
		case job.Deleted != 0 || job.Owner == "":
		case parent == nil || parent.GetUID() != job.Owner:
			broken = append(broken, fmt.Sprintf("Job %s is there and its owner is not", job.Name))
		case !entered[string(job.UID)]:
			broken = append(broken, fmt.Sprintf("Job %s is not in the status of its owner", job.Name))
		}
	}
	return broken
}

func nothingAfterEnd(w *World) []string {
	ended := w.ledger.results.Ended()
	if ended == nil {
		return nil
	}
	var broken []string
	for _, job := range w.Record.Jobs() {
		if job.Owner != "" && job.Created > history.Version(ended) {
			broken = append(broken, fmt.Sprintf("Job %s was created after the end was recorded", job.Name))
		}
	}
	return broken
}

// ledger follows the JobFlow or DaemonJob of a world.
type ledger struct {
	results history.Results

	mu   sync.Mutex
	spec *v1alpha1.JobFlowSpec
	born int64 // its first version
}

func (l *ledger) note(change history.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch object := change.Object.(type) {
	case *v1alpha1.JobFlow:
		l.spec = &object.Spec
	case *v1alpha1.DaemonJob:
	default:
		return
	}
	if l.born == 0 {
		l.born = history.Version(change.Object)
	}
	l.results.Note(change)
}

// flow is the spec of the JobFlow, or nil.
func (l *ledger) flow() *v1alpha1.JobFlowSpec {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spec
}

// bornAt returns the version in which the JobFlow or DaemonJob was created, or 0.
func (l *ledger) bornAt() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.born
}
