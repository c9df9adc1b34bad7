package harness

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
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

// Jobs are the lives of all Jobs that ever existed, in the order of their creation.
func (r *Record) Jobs() []JobHistory {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]JobHistory, len(r.jobs))
	for i, h := range r.jobs {
		all[i] = *h
		all[i].PodsSucceeded = slices.Clone(h.PodsSucceeded)
	}
	return all
}

func (r *Record) keepHistory(change Change) {
	switch object := change.Object.(type) {
	case *batchv1.Job:
		r.keepJob(change, object)
	case *corev1.Pod:
		r.keepPod(change, object)
	}
}

func (r *Record) keepJob(change Change, job *batchv1.Job) {
	h := r.byUID[job.UID]
	if h == nil {
		h = &JobHistory{UID: job.UID}
		r.byUID[job.UID] = h
	}
	if h.Created == 0 {
		h.Namespace, h.Name, h.Created = job.Namespace, job.Name, change.Version
		h.Run = job.Annotations[v1alpha1.RunAnnotation]
		if owner := metav1.GetControllerOfNoCopy(job); owner != nil {
			h.Owner = owner.UID
		}
		r.jobs = append(r.jobs, h)
	}
	if h.Completed == 0 && HasEnded(job, batchv1.JobComplete) {
		h.Completed = change.Version
	}
	if h.Failed == 0 && HasEnded(job, batchv1.JobFailed) {
		h.Failed = change.Version
	}
	if change.Type == watch.Deleted {
		h.Deleted = change.Version
	}
}

// keepPod notes when a pod has first Succeeded. The pod's watch may be ahead of the
// Job's, so the history may begin here.
func (r *Record) keepPod(change Change, pod *corev1.Pod) {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || pod.Status.Phase != corev1.PodSucceeded || change.Type == watch.Deleted {
		return
	}
	if r.succeeded[pod.UID] {
		return
	}
	r.succeeded[pod.UID] = true
	h := r.byUID[owner.UID]
	if h == nil {
		h = &JobHistory{UID: owner.UID}
		r.byUID[owner.UID] = h
	}
	h.PodsSucceeded = append(h.PodsSucceeded, change.Version)
}

// HasEnded says whether a Job has one of the conditions.
func HasEnded(job *batchv1.Job, kinds ...batchv1.JobConditionType) bool {
	for i := range job.Status.Conditions {
		c := &job.Status.Conditions[i]
		if c.Status == corev1.ConditionTrue && slices.Contains(kinds, c.Type) {
			return true
		}
	}
	return false
}
