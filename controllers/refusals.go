package controllers

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// refusals keeps what status says about a Job that is not created steady for a
// while. The API server, or a webhook, may put the same refusal in other words each
// time: with the number of the request, or the time. Every write of such a status
// brings the next attempt, and the two would chase each other. So would a Job whose name
// is taken, and an API server that cannot always be asked.
type refusals struct {
	mu    sync.Mutex
	byRun map[refusedRun]refusal
	swept time.Time
}

const (
	// remembered is how long a refusal counts: the attempt that follows it is to find it.
	remembered = 2 * retryAfter
	// ranked is how long it is known for the order of later attempts.
	ranked = time.Hour
)

type refusedRun struct {
	parent types.UID
	run    string
}

type refusal struct {
	reason, message string
	at              time.Time
}

// steady is the reason and the message to show, both empty if there is nothing to say.
// An error that may pass by itself does not put in doubt what the API server said
// before. Of several messages of CreateFailed the first stays, until it is as old as a
// refused Job waits for its next attempt; the other reasons have no words that change by
// themselves, and a change of theirs is news: somebody edited the JobTemplate.
func (r *refusals) steady(parent types.UID, run string, o outcome, now time.Time) (reason, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
	key := refusedRun{parent, run}
	last, found := r.byRun[key]
	switch {
	case found && o.err != nil && last.reason != o.reason && !older(last.at, now, remembered),
		found && o.reason == v1alpha1.ReasonCreateFailed && last.reason == o.reason && !older(last.at, now, retryAfter):
		return last.reason, last.message
	case o.reason == "":
		return "", ""
	}
	r.byRun[key] = refusal{o.reason, o.message, now}
	return o.reason, o.message
}

// any says whether a Job of the parent was refused of late. That a name is taken says
// nothing of other Jobs.
func (r *refusals) any(parent types.UID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, last := range r.byRun {
		if key.parent == parent && last.reason == v1alpha1.ReasonCreateFailed && !older(last.at, now, remembered) {
			return true
		}
	}
	return false
}

// of is when Jobs of a parent were refused, by step or node.
func (r *refusals) of(parent types.UID) map[string]time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found map[string]time.Time
	for key, last := range r.byRun {
		if key.parent != parent || last.reason != v1alpha1.ReasonCreateFailed {
			continue
		}
		if found == nil {
			found = map[string]time.Time{}
		}
		found[key.run] = last.at
	}
	return found
}

// overdue are those of them that have had their turn: others go first.
func (r *refusals) overdue(parent types.UID, now time.Time) map[string]time.Time {
	refused := r.of(parent)
	maps.DeleteFunc(refused, func(_ string, at time.Time) bool { return !older(at, now, retryAfter) })
	return refused
}

// order sorts creations for attempts that end with the first refusal. A Job that was
// refused just now is asked for first: as long as it is, others would mostly be refused
// too. After retryAfter it is the turn of another, so that a Job that is refused for
// itself keeps no other from being created.
func (r *refusals) order(parent types.UID, runs []v1alpha1.RunStatus, creations []plan.Creation, now time.Time) {
	refused := r.of(parent)
	if len(refused) == 0 {
		return
	}
	rank := func(c *plan.Creation) (int, time.Time) {
		at, found := refused[runs[c.Run].Name]
		switch {
		case !found:
			return 1, time.Time{}
		case older(at, now, retryAfter):
			return 2, at
		}
		return 0, at
	}
	slices.SortStableFunc(creations, func(a, b plan.Creation) int {
		rankA, atA := rank(&a)
		rankB, atB := rank(&b)
		return cmp.Or(cmp.Compare(rankA, rankB), atA.Compare(atB))
	})
}

// sweep forgets the old ones, now and then: those of Jobs that were created in the
// end, and of parents that are gone.
func (r *refusals) sweep(now time.Time) {
	if !older(r.swept, now, retryAfter) {
		return
	}
	r.swept = now
	for key, last := range r.byRun {
		if older(last.at, now, ranked) {
			delete(r.byRun, key)
		}
	}
}
