package controllers

import (
	"cmp"
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
//
// It also says which Job of a parent is asked for first. Mostly all are refused for the
// same reason, a quota say, and one is enough to find out when that is over. But one that
// is refused for itself must not keep the others from being created, so they take turns.
type refusals struct {
	mu       sync.Mutex
	byParent map[types.UID]*refusedJobs
	swept    time.Time
}

// refusedJobs are those of one parent.
type refusedJobs struct {
	jobs   map[string]refusal // by step or node
	latest time.Time
	// turn is the one that is asked for first, since then.
	turn  string
	since time.Time
}

type refusal struct {
	reason, message string
	at              time.Time
}

const (
	// remembered is how long a refusal is: the attempt that follows it is to find it.
	remembered = 2 * retryAfter
	// longestTurn is how long a Job is asked for first where many are refused. A turn
	// takes a second for each, since what it finds out is written into a status that has
	// all of them.
	longestTurn = 2 * time.Minute
)

func newRefusals() refusals { return refusals{byParent: map[types.UID]*refusedJobs{}} }

// steady is the reason and the message to show, both empty if there is nothing to say.
// An error that may pass by itself does not put in doubt what the API server said
// before. Of several messages of CreateFailed the first stays, until it is as old as a
// refused Job waits for its next attempt; the other reasons have no words that change by
// themselves, and a change of theirs is news: somebody edited the JobTemplate.
func (r *refusals) steady(parent types.UID, run string, o outcome, now time.Time) (reason, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
	of := r.byParent[parent]
	if of == nil {
		if o.reason == "" {
			return "", ""
		}
		of = &refusedJobs{jobs: map[string]refusal{}}
		r.byParent[parent] = of
	}
	of.latest = now
	if o.reason == v1alpha1.ReasonCreateFailed && !of.inTurn(now) {
		of.turn, of.since = run, now
	}
	last, found := of.jobs[run]
	switch {
	case found && o.err != nil && last.reason != o.reason && !older(last.at, now, remembered),
		found && o.reason == v1alpha1.ReasonCreateFailed && last.reason == o.reason && !older(last.at, now, retryAfter):
		return last.reason, last.message
	case o.reason == "":
		return "", ""
	}
	of.jobs[run] = refusal{o.reason, o.message, now}
	return o.reason, o.message
}

// inTurn says whether there is a Job to ask for first.
func (of *refusedJobs) inTurn(now time.Time) bool {
	length := min(max(retryAfter, time.Duration(len(of.jobs))*time.Second), longestTurn)
	return of.turn != "" && !older(of.since, now, length)
}

// any says whether a Job of the parent was refused of late. That a name is taken says
// nothing of other Jobs.
func (r *refusals) any(parent types.UID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.byParent[parent]
	if of == nil {
		return false
	}
	for _, last := range of.jobs {
		if last.reason == v1alpha1.ReasonCreateFailed && !older(last.at, now, remembered) {
			return true
		}
	}
	return false
}

// is says whether the Job of a step or node is known to be refused.
func (r *refusals) is(parent types.UID, run string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.byParent[parent]
	return of != nil && of.jobs[run].reason == v1alpha1.ReasonCreateFailed
}

// attempts are when Jobs of the parent could not be created, by step or node, and whose
// turn it is.
func (r *refusals) attempts(parent types.UID, now time.Time) plan.Attempts {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.byParent[parent]
	if of == nil {
		return plan.Attempts{}
	}
	attempts := plan.Attempts{At: make(map[string]time.Time, len(of.jobs))}
	for run, last := range of.jobs {
		attempts.At[run] = last.at
	}
	if of.inTurn(now) {
		attempts.Turn = of.turn
	}
	return attempts
}

// order sorts creations for attempts that end with the first refusal: the Job whose turn
// it is, those that were not refused, and the others, of which the one comes first that
// has waited longest.
func (r *refusals) order(parent types.UID, runs []v1alpha1.RunStatus, creations []plan.Creation, now time.Time) {
	if len(creations) < 2 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.byParent[parent]
	if of == nil {
		return
	}
	inTurn := of.inTurn(now)
	rank := func(c *plan.Creation) (int, time.Time) {
		name := runs[c.Run].Name
		last := of.jobs[name]
		switch {
		case inTurn && name == of.turn:
			return 0, last.at
		case last.reason != v1alpha1.ReasonCreateFailed:
			return 1, time.Time{}
		}
		return 2, last.at
	}
	slices.SortStableFunc(creations, func(a, b plan.Creation) int {
		rankA, atA := rank(&a)
		rankB, atB := rank(&b)
		return cmp.Or(cmp.Compare(rankA, rankB), atA.Compare(atB))
	})
}

// sweep forgets parents of which no Job was refused of late, now and then: those that go
// on, and those that are gone.
func (r *refusals) sweep(now time.Time) {
	if !older(r.swept, now, retryAfter) {
		return
	}
	r.swept = now
	for parent, of := range r.byParent {
		if older(of.latest, now, remembered) {
			delete(r.byParent, parent)
		}
	}
}
