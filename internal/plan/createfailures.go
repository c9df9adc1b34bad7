package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

const (
	// RetryAfter is the time until the creation of a Job is retried if it failed for a
	// reason whose end no watch shows: a foreign Job of the same name, a quota.
	RetryAfter = 10 * time.Second
	// MaxBatch is the largest number of Jobs of one parent that are created in parallel.
	MaxBatch = 128

	// failureTTL is how long a failure counts as recent: the next retry still finds it.
	failureTTL = 2 * RetryAfter
	// maxProbeTime limits the time for which a parent with many failures keeps its probe.
	// The time grows by a second a failure, because each result of a probe is written
	// into a status that lists all of them.
	maxProbeTime = 2 * time.Minute
)

// CreateFailure is why a Job could not be created now. Reason is empty if the API server
// gave none.
type CreateFailure struct {
	Reason, Message string
	// Transient marks an error that may pass by itself, such as a timeout.
	Transient bool
}

// CreateFailures remembers which Jobs of one parent could not be created. It decides what
// status shows of them, and which Job is tried first. The zero value is empty.
//
// Usually all Jobs of a parent are refused for the same reason, a quota for example, and
// trying one of them, the probe, shows when that is over. But a Job that is refused for
// a reason of its own must not keep the others from being created. So a probe is tried
// first for a limited time only, and after that the others are.
type CreateFailures struct {
	byRun      map[string]failedCreation // by step or node
	probe      string
	probeSince time.Time
}

type failedCreation struct {
	CreateFailure
	at time.Time
}

// Record adds a failure and returns the reason and message for status; both are empty if
// there is nothing to show.
//
// The API server, or a webhook, may word the same refusal differently each time: with
// the number of the request, or the time. Each status write causes the next try, and the
// two would chase each other. So a message of CreateFailed stays until the next retry is
// due. Messages of other reasons do not change by themselves, but only when the
// JobTemplate is edited. A transient error does not replace what the API server said before.
func (f *CreateFailures) Record(run string, failure CreateFailure, now time.Time) (reason, message string) {
	if failure.Reason == v1alpha1.ReasonCreateFailed && f.currentProbe(now) == "" {
		f.probe, f.probeSince = run, now
	}
	last, found := f.byRun[run]
	same := last.Reason == failure.Reason
	switch {
	case found && !same && failure.Transient && !expired(last.at, now, failureTTL),
		found && same && failure.Reason == v1alpha1.ReasonCreateFailed && !expired(last.at, now, RetryAfter):
		return last.Reason, last.Message
	case failure.Reason == "":
		return "", ""
	}
	if f.byRun == nil {
		f.byRun = map[string]failedCreation{}
	}
	f.byRun[run] = failedCreation{failure, now}
	return failure.Reason, failure.Message
}

// currentProbe returns the step or node whose Job is tried first, or "".
func (f *CreateFailures) currentProbe(now time.Time) string {
	limit := min(max(RetryAfter, time.Duration(len(f.byRun))*time.Second), maxProbeTime)
	if expired(f.probeSince, now, limit) {
		return ""
	}
	return f.probe
}

// refusedRecently reports whether the API server lately refused a Job of the parent. A
// name that is taken does not count: it concerns no other Job.
func (f *CreateFailures) refusedRecently(now time.Time) bool {
	for _, last := range f.byRun {
		if last.Reason == v1alpha1.ReasonCreateFailed && !expired(last.at, now, failureTTL) {
			return true
		}
	}
	return false
}

// sort puts the entries of runs whose Jobs can be created in the order in which they are
// tried, and in which they take the places that spec.parallelism leaves: the probe, those
// that have not failed, and of the others the one first whose last try is longest ago.
func (f *CreateFailures) sort(indices []int, runs []v1alpha1.RunStatus, recorded map[string]*v1alpha1.RunStatus, now time.Time) {
	type rank struct {
		group int
		at    time.Time
	}
	ranks := map[int]rank{} // without those that have not failed
	probe := f.currentProbe(now)
	for _, i := range indices {
		switch name := runs[i].Name; {
		case name == probe:
			ranks[i] = rank{group: -1}
		case createFailed(recorded[name]):
			ranks[i] = rank{group: 1, at: f.byRun[name].at}
		}
	}
	if len(ranks) == 0 {
		return
	}
	slices.SortStableFunc(indices, func(a, b int) int {
		return cmp.Or(cmp.Compare(ranks[a].group, ranks[b].group), ranks[a].at.Compare(ranks[b].at))
	})
}

// createFailed reports whether the record of a step or node shows that its Job could not be
// created for a lasting reason. Its creation is retried in every reconcile.
func createFailed(recorded *v1alpha1.RunStatus) bool {
	if recorded == nil || recorded.Phase != v1alpha1.PhaseWaiting || recorded.JobUID != "" {
		return false
	}
	return recorded.Reason == v1alpha1.ReasonNameConflict || recorded.Reason == v1alpha1.ReasonInvalidJobTemplate ||
		recorded.Reason == v1alpha1.ReasonCreateFailed
}

// expired reports whether a time is longer ago than limit, or so far ahead that the clock
// must have been set back.
func expired(at, now time.Time, limit time.Duration) bool {
	return now.Sub(at).Abs() >= limit
}
