package controllers

import (
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
)

// recentJobs remembers Jobs from the moment we know them to exist until the cache
// shows them. Creating Jobs and reading them back from a cache would otherwise
// need either a live read each, or a wait for the watch.
type recentJobs struct {
	mu       sync.Mutex
	byParent map[types.UID]map[string]recentJob
	swept    time.Time
}

type recentJob struct {
	job *batchv1.Job
	at  time.Time
}

func (r *recentJobs) add(parent types.UID, run string, job *batchv1.Job, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
	if r.byParent[parent] == nil {
		r.byParent[parent] = map[string]recentJob{}
	}
	r.byParent[parent][run] = recentJob{job, now}
}

// sweep forgets what is no longer trusted, now and then. A parent that was deleted
// right after its Jobs were created is never asked for again.
func (r *recentJobs) sweep(now time.Time) {
	if !expired(r.swept, now) {
		return
	}
	r.swept = now
	for parent, jobs := range r.byParent {
		for run, recent := range jobs {
			if expired(recent.at, now) {
				delete(jobs, run)
			}
		}
		if len(jobs) == 0 {
			delete(r.byParent, parent)
		}
	}
}

// expired is also true where the clock was set back.
func expired(at, now time.Time) bool {
	return now.Sub(at) > trustCreated || now.Before(at)
}

// fill adds to own what the cache has yet to show, and forgets what it shows.
func (r *recentJobs) fill(parent types.UID, own map[string]*batchv1.Job, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for run, recent := range r.byParent[parent] {
		cached, found := own[run]
		switch {
		case found && cached.UID == recent.job.UID, expired(recent.at, now):
			delete(r.byParent[parent], run)
		default:
			own[run] = recent.job
		}
	}
	if len(r.byParent[parent]) == 0 {
		delete(r.byParent, parent)
	}
}

// waits says whether the cache has yet to show a Job of the parent.
func (r *recentJobs) waits(parent types.UID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.byParent[parent]) > 0
}

func (r *recentJobs) forget(parent types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byParent, parent)
}
