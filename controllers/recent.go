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
}

type recentJob struct {
	job *batchv1.Job
	at  time.Time
}

func (r *recentJobs) add(parent types.UID, run string, job *batchv1.Job, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byParent[parent] == nil {
		r.byParent[parent] = map[string]recentJob{}
	}
	r.byParent[parent][run] = recentJob{job, now}
}

// fill adds to own what the cache has yet to show, and forgets what it shows.
func (r *recentJobs) fill(parent types.UID, own map[string]*batchv1.Job, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for run, recent := range r.byParent[parent] {
		cached, found := own[run]
		switch {
		case found && cached.UID == recent.job.UID, now.Sub(recent.at) > trustCreated, now.Before(recent.at):
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
