package harness

import (
	"slices"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// JobHistory is the life of one Job. The numbers are resource versions, and 0 for what
// has not happened.
type JobHistory struct {
	Namespace, Name string
	UID             types.UID
	// Owner is the UID of the JobFlow or DaemonJob, Run the step or node.
	Owner types.UID
	Run   string

	Created, Completed, Failed, Deleted int64
	// PodsSucceeded are when its pods did.
	PodsSucceeded []int64
}

// lives are those of all Jobs.
type lives struct {
	mu       sync.Mutex
	jobs     []*JobHistory // in the order of their creation
	byUID    map[types.UID]*JobHistory
	versions []int64
}

// Jobs are the lives of all Jobs that ever existed, in the order of their creation.
func (r *Record) Jobs() []JobHistory {
	r.lives.mu.Lock()
	defer r.lives.mu.Unlock()
	all := make([]JobHistory, len(r.lives.jobs))
	for i, h := range r.lives.jobs {
		all[i] = *h
		all[i].PodsSucceeded = slices.Clone(h.PodsSucceeded)
	}
	return all
}

// Versions are the resource versions of all changes so far, in order.
func (r *Record) Versions() []int64 {
	r.lives.mu.Lock()
	defer r.lives.mu.Unlock()
	return slices.Sorted(slices.Values(r.lives.versions))
}

func (l *lives) note(change history.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	version := history.Version(change.Object)
	l.versions = append(l.versions, version)
	switch object := change.Object.(type) {
	case *batchv1.Job:
		l.noteJob(object, change.Type, version)
	case *corev1.Pod:
		l.notePod(object, change, version)
	}
}

// of is the life of a Job. The watch of pods may be ahead of that of Jobs, so a life may begin
// with either.
func (l *lives) of(uid types.UID) *JobHistory {
	if l.byUID == nil {
		l.byUID = map[types.UID]*JobHistory{}
	}
	if l.byUID[uid] == nil {
		l.byUID[uid] = &JobHistory{UID: uid}
	}
	return l.byUID[uid]
}

func (l *lives) noteJob(job *batchv1.Job, kind watch.EventType, version int64) {
	h := l.of(job.UID)
	if h.Created == 0 {
		h.Namespace, h.Name, h.Created = job.Namespace, job.Name, version
		h.Run = job.Annotations[v1alpha1.RunAnnotation]
		if owner := metav1.GetControllerOfNoCopy(job); owner != nil {
			h.Owner = owner.UID
		}
		l.jobs = append(l.jobs, h)
	}
	if h.Completed == 0 && flows.JobIs(job, batchv1.JobComplete) {
		h.Completed = version
	}
	if h.Failed == 0 && flows.JobIs(job, batchv1.JobFailed) {
		h.Failed = version
	}
	if kind == watch.Deleted {
		h.Deleted = version
	}
}

// notePod notes when a pod has first Succeeded.
func (l *lives) notePod(pod *corev1.Pod, change history.Change, version int64) {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || pod.Status.Phase != corev1.PodSucceeded || change.Type == watch.Deleted {
		return
	}
	if before, ok := change.Before.(*corev1.Pod); ok && before.Status.Phase == corev1.PodSucceeded {
		return
	}
	h := l.of(owner.UID)
	h.PodsSucceeded = append(h.PodsSucceeded, version)
}
