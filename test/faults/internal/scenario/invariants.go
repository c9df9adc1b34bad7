package scenario

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
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
	{"a result that is recorded stays", func(w *World) []string { return w.ledger.broken() }},
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
	end := w.ledger.end()
	if end == 0 {
		return nil
	}
	var broken []string
	for _, job := range w.Record.Jobs() {
		if job.Owner != "" && job.Created > end {
			broken = append(broken, fmt.Sprintf("Job %s was created after the end was recorded", job.Name))
		}
	}
	return broken
}

// ledger follows the status of the JobFlow or DaemonJob through all its versions.
type ledger struct {
	mu       sync.Mutex
	spec     *v1alpha1.JobFlowSpec
	bornAt   int64 // when the JobFlow or DaemonJob was created
	runs     map[string]v1alpha1.RunStatus
	endedAt  int64
	problems []string
}

func newLedger() *ledger { return &ledger{runs: map[string]v1alpha1.RunStatus{}} }

func (l *ledger) notice(change harness.Change) {
	switch object := change.Object.(type) {
	case *v1alpha1.JobFlow:
		l.follow(change, &object.Status.Summary, object.Status.Flows)
		l.mu.Lock()
		l.spec = object.Spec.DeepCopy()
		l.mu.Unlock()
	case *v1alpha1.DaemonJob:
		l.follow(change, &object.Status.Summary, object.Status.Nodes)
	}
}

func (l *ledger) follow(change harness.Change, summary *v1alpha1.Summary, runs []v1alpha1.RunStatus) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if change.Type == watch.Deleted {
		return
	}
	if l.bornAt == 0 {
		l.bornAt = change.Version
	}
	is := ended(summary)
	if l.endedAt != 0 && !is {
		l.problems = append(l.problems, fmt.Sprintf("it had ended, and is %s in version %d", summary.State, change.Version))
	}
	if l.endedAt == 0 && is {
		l.endedAt = change.Version
	}
	there := map[string]bool{}
	for i := range runs {
		run := runs[i]
		there[run.Name] = true
		was, known := l.runs[run.Name]
		l.runs[run.Name] = run
		final := was.Phase == v1alpha1.PhaseSucceeded || was.Phase == v1alpha1.PhaseFailed
		switch {
		case known && final && !same(&was, &run):
			l.problems = append(l.problems, fmt.Sprintf("%s was %s/%s of Job %s, and is %s/%s of Job %q in version %d",
				run.Name, was.Phase, was.Reason, was.JobUID, run.Phase, run.Reason, run.JobUID, change.Version))
		case was.JobUID != "" && run.JobUID != was.JobUID && run.Attempt != was.Attempt+1 && run.Phase != v1alpha1.PhaseWaiting:
			l.problems = append(l.problems, fmt.Sprintf("%s went from Job %s to Job %q in attempt %d, in version %d",
				run.Name, was.JobUID, run.JobUID, run.Attempt, change.Version))
		}
	}
	for name := range l.runs {
		if !there[name] {
			l.problems = append(l.problems, fmt.Sprintf("%s is no longer recorded in version %d", name, change.Version))
			delete(l.runs, name)
		}
	}
}

func same(a, b *v1alpha1.RunStatus) bool {
	return a.Phase == b.Phase && a.Reason == b.Reason && a.JobUID == b.JobUID && a.Attempt == b.Attempt
}

func (l *ledger) broken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.problems...)
}

func (l *ledger) flow() *v1alpha1.JobFlowSpec {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spec
}

func (l *ledger) born() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bornAt
}

func (l *ledger) end() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.endedAt
}
