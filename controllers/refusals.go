package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// refusals keeps what status says about a Job that is not created steady for a
// while. The API server, or a webhook, may put the same refusal in other words each
// time: with the number of the request, or the time. Every write of such a status
// brings the next attempt, and the two would chase each other.
type refusals struct {
	mu    sync.Mutex
	byRun map[refusedRun]refusal
	swept time.Time
}

// remembered is how long a refusal is: the attempt that follows it is to find it.
const remembered = 2 * retryAfter

type refusedRun struct {
	parent types.UID
	run    string
}

type refusal struct {
	message string
	at      time.Time
}

// steady is the message to show: the one that came first, until it is as old as a
// refused Job waits for its next attempt.
func (r *refusals) steady(parent types.UID, run, message string, now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
	key := refusedRun{parent, run}
	if last, found := r.byRun[key]; found && !older(last.at, now, retryAfter) {
		return last.message
	}
	r.byRun[key] = refusal{message, now}
	return message
}

// any says whether a Job of the parent was refused of late.
func (r *refusals) any(parent types.UID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, last := range r.byRun {
		if key.parent == parent && !older(last.at, now, remembered) {
			return true
		}
	}
	return false
}

// sweep forgets the old ones, now and then: those of Jobs that were created in the
// end, and of parents that are gone.
func (r *refusals) sweep(now time.Time) {
	if !older(r.swept, now, retryAfter) {
		return
	}
	r.swept = now
	for key, last := range r.byRun {
		if older(last.at, now, remembered) {
			delete(r.byRun, key)
		}
	}
}
