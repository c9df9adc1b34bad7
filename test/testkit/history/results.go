package history

import (
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// Results checks the status of a JobFlow or DaemonJob through all its versions: a recorded
// result must not change, and an object that has ended must not run again. The zero value is
// ready for use.
type Results struct {
	mu       sync.Mutex
	runs     map[string]v1alpha1.RunStatus
	ended    client.Object
	problems []string
}

// Note checks the next version of the JobFlow or DaemonJob.
func (r *Results) Note(change Change) {
	if change.Type == watch.Deleted {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	summary, version := flows.Summary(change.Object), change.Object.GetResourceVersion()
	switch ended := flows.Ended(summary); {
	case ended && r.ended == nil:
		r.ended = change.Object
	case !ended && r.ended != nil:
		r.problem("it had ended, and is %s in version %s", summary.State, version)
	}
	before := r.runs
	r.runs = map[string]v1alpha1.RunStatus{}
	for _, run := range flows.Runs(change.Object) {
		r.runs[run.Name] = run
		was, known := before[run.Name]
		final := was.Phase == v1alpha1.PhaseSucceeded || was.Phase == v1alpha1.PhaseFailed
		switch {
		case known && final && !same(&was, &run):
			r.problem("%s was %s/%s of Job %s, and is %s/%s of Job %q in version %s",
				run.Name, was.Phase, was.Reason, was.JobUID, run.Phase, run.Reason, run.JobUID, version)
		case was.JobUID != "" && run.JobUID != was.JobUID && run.Attempt != was.Attempt+1 && run.Phase != v1alpha1.PhaseWaiting:
			r.problem("%s went from Job %s to Job %q in attempt %d, in version %s", run.Name, was.JobUID, run.JobUID, run.Attempt, version)
		}
	}
	for name := range before {
		if _, there := r.runs[name]; !there {
			r.problem("%s is no longer recorded in version %s", name, version)
		}
	}
}

func same(a, b *v1alpha1.RunStatus) bool {
	return a.Phase == b.Phase && a.Reason == b.Reason && a.JobUID == b.JobUID && a.Attempt == b.Attempt
}

// problem records a change that must not happen. The caller holds mu.
func (r *Results) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// Broken returns the changes that must not happen.
func (r *Results) Broken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.problems)
}

// Ended returns the first version in which the object had ended, or nil.
func (r *Results) Ended() client.Object {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}
