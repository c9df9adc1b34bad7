package controllers

import (
	"maps"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
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
	if !older(r.swept, now, trustCreated) {
		return
	}
	r.swept = now
	for parent, jobs := range r.byParent {
		for run, recent := range jobs {
			if older(recent.at, now, trustCreated) {
				delete(jobs, run)
			}
		}
		if len(jobs) == 0 {
			delete(r.byParent, parent)
		}
	}
}

// older says whether something has been there for longer than limit. Reconciles side by
// side each have a now of their own, which may be a little before at; where it is long
// before, the clock was set back.
func older(at, now time.Time, limit time.Duration) bool {
	return now.Sub(at).Abs() >= limit
}

// of are the Jobs of a parent that the cache may not show. To be asked for before the
// cache is: what it shows in between is in either.
func (r *recentJobs) of(parent types.UID) map[string]recentJob {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.byParent[parent])
}

// fill adds to own, which are the Jobs in the cache, what that has yet to show, and
// forgets what it shows.
func (r *recentJobs) fill(parent types.UID, known map[string]recentJob, own map[string]*batchv1.Job, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for run, recent := range known {
		cached, found := own[run]
		switch {
		case found && cached.UID == recent.job.UID, older(recent.at, now, trustCreated):
			r.drop(parent, run)
		default:
			own[run] = recent.job
		}
	}
}

func (r *recentJobs) drop(parent types.UID, run string) {
	delete(r.byParent[parent], run)
	if len(r.byParent[parent]) == 0 {
		delete(r.byParent, parent)
	}
}

// shown is for a Job that the cache shows for the first time. It says whether that is
// as it was known already.
func (r *recentJobs) shown(job *batchv1.Job) bool {
	owner, run := metav1.GetControllerOfNoCopy(job), job.Annotations[v1alpha1.RunAnnotation]
	if owner == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	recent, found := r.byParent[owner.UID][run]
	if !found || recent.job.UID != job.UID || recent.job.ResourceVersion != job.ResourceVersion {
		return false
	}
	r.drop(owner.UID, run)
	return true
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
