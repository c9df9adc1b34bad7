package memory

import (
	"maps"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

const (
	// TrustCreated is how long a Job that was created counts as existing although the cache
	// does not show it. After that the API server is asked.
	TrustCreated = 10 * time.Second
	// takesEffect is how long a request may take effect after its connection was lost: the
	// API server ends it after that.
	takesEffect = time.Minute
)

// Jobs are the Jobs of a parent that the cache may not show, by step or node.
type Jobs map[string]job

// job is one that was created, or one whose creation ended in an error and may have taken
// effect nevertheless.
type job struct {
	created *batchv1.Job // nil if that is uncertain
	name    string
	at      time.Time
}

// Created remembers a Job until the cache shows it. Otherwise every new Job would cost a live
// read, or its parent would have to wait for the watch.
func (m *Memory) Created(parent v1alpha1.Parent, run string, created *batchv1.Job, now time.Time) {
	m.remember(parent, run, job{created, created.Name, now})
}

// MayBeCreated remembers the name of a Job whose creation ended in an error. Usually the
// next reconcile just tries again, and finds that the Job exists. But it may have a reason not to
// try: a deadline that has passed, a step that has failed. If the cache does not show the Job
// yet, its step would be Skipped, and the flow would end, while the Job runs.
func (m *Memory) MayBeCreated(parent v1alpha1.Parent, run, name string, now time.Time) {
	m.remember(parent, run, job{nil, name, now})
}

func (m *Memory) remember(parent v1alpha1.Parent, run string, j job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entry(parent).jobs[run] = j
}

// Jobs returns what is remembered of a parent's Jobs. Call it before reading the cache, so
// that a Job which appears in between is in one of the two.
func (m *Memory) Jobs(parent v1alpha1.Parent) Jobs {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.find(parent); e != nil {
		return maps.Clone(e.jobs)
	}
	return nil
}

// Complete adds the Jobs that were created to cached, the Jobs that the cache has, unless it
// shows them. It returns the names of the others that may exist, by step or node. Jobs that
// the cache shows, and those from too long ago, are forgotten.
func (m *Memory) Complete(parent v1alpha1.Parent, remembered Jobs, cached map[string]*batchv1.Job, now time.Time) (uncertain map[string]string) {
	uncertain = map[string]string{}
	for run, j := range remembered {
		shown, found := cached[run]
		switch {
		case j.created == nil && expired(j.at, now, takesEffect):
			m.forgetJob(parent, run)
		case j.created == nil && !found:
			uncertain[run] = j.name
		case j.created == nil: // an earlier Job of the run may be the one that the cache shows
		case found && shown.UID == j.created.UID, expired(j.at, now, TrustCreated):
			m.forgetJob(parent, run)
		default:
			cached[run] = j.created
		}
	}
	return uncertain
}

func (m *Memory) forgetJob(parent v1alpha1.Parent, run string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entry(parent).jobs, run)
}

// Expected reports whether a Job that the cache shows for the first time is exactly as it was
// created. The cache then has it, and it is forgotten.
func (m *Memory) Expected(shown *batchv1.Job) bool {
	owner, run := metav1.GetControllerOfNoCopy(shown), shown.Annotations[v1alpha1.RunAnnotation]
	if owner == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[Key{owner.Kind, types.NamespacedName{Namespace: shown.Namespace, Name: owner.Name}}]
	if e == nil || e.uid != owner.UID {
		return false
	}
	created := e.jobs[run].created
	if created == nil || created.UID != shown.UID || created.ResourceVersion != shown.ResourceVersion {
		return false
	}
	delete(e.jobs, run)
	return true
}

// AwaitsJobs reports whether the cache has yet to show a Job of the parent.
func (m *Memory) AwaitsJobs(parent v1alpha1.Parent) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.find(parent); e != nil {
		for _, j := range e.jobs {
			if j.created != nil {
				return true
			}
		}
	}
	return false
}
