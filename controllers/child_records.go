package controllers

import (
	"time"
	"unique"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// What rests in a cluster is what has ended: finished flows keep their Jobs and pods
// until somebody deletes them. A Job takes 2.6 KB of memory even without its pod
// template, most of it fields that are empty, and a pod 2 KB. Of those that have ended
// the cache therefore holds a record of its own, of some hundred bytes.

// endedJob is what is read of a Job that has ended. What many Jobs have in common takes
// one word of each.
type endedJob struct {
	name    string
	uid     types.UID
	version string

	owner unique.Handle[jobOwner]
	notes unique.Handle[jobNotes]
	end   unique.Handle[jobEnd]
	ttl   *int32

	created, completed int64 // Unix seconds; completed is 0 if it is not known
}

// jobOwner is the JobFlow or DaemonJob of a Job.
type jobOwner struct {
	namespace, kind, name string
	uid                   types.UID
}

// jobNotes are the annotations of a Job that the operator reads; empty if there is none.
type jobNotes struct {
	run, settings, ttlHeld string
}

// jobEnd is how a Job ended.
type jobEnd struct {
	failed          bool
	reason, message string
}

// endedPod stands for a pod that says nothing any more: neither what holds up its Job
// nor that its Job will be Complete.
type endedPod struct {
	name      string
	namespace unique.Handle[string]
}

// GetObjectMeta is as much as an informer has to know.
func (j *endedJob) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: j.owner.Value().namespace, Name: j.name, UID: j.uid, ResourceVersion: j.version}
}

// GetObjectMeta is as much as an informer has to know.
func (p *endedPod) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: p.namespace.Value(), Name: p.name}
}

// recordJob is the transform of the cache of Jobs. A Job that is being deleted is kept
// whole, since that is another state.
func recordJob(in any) (any, error) {
	job, ok := in.(*batchv1.Job)
	if !ok {
		return in, nil
	}
	owner := metav1.GetControllerOfNoCopy(job)
	state := jobs.Observe(job, nil)
	if owner == nil || job.DeletionTimestamp != nil || !plan.Final(state.Phase) {
		return trimmed(job), nil
	}
	record := &endedJob{
		name: job.Name, uid: job.UID, version: job.ResourceVersion,
		owner: unique.Make(jobOwner{namespace: job.Namespace, kind: owner.Kind, name: owner.Name, uid: owner.UID}),
		notes: unique.Make(jobNotes{
			run:      job.Annotations[v1alpha1.RunAnnotation],
			settings: job.Annotations[v1alpha1.SettingsAnnotation],
			ttlHeld:  job.Annotations[v1alpha1.TTLAnnotation],
		}),
		end:     unique.Make(jobEnd{failed: state.Phase == v1alpha1.PhaseFailed, reason: state.Reason, message: state.Message}),
		ttl:     job.Spec.TTLSecondsAfterFinished,
		created: job.CreationTimestamp.Unix(),
	}
	if state.CompletionTime != nil {
		record.completed = state.CompletionTime.Unix()
	}
	return record, nil
}

// mayChange says whether there is something to change of the Job once its end is
// recorded: a TTL that is held until then, or settings of a DaemonJob.
func (j *endedJob) mayChange() bool {
	notes := j.notes.Value()
	return notes.ttlHeld != "" || notes.settings != ""
}

// job is the Job again, with what the record has of it.
func (j *endedJob) job() *batchv1.Job {
	owner, notes, how := j.owner.Value(), j.notes.Value(), j.end.Value()
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: owner.namespace, Name: j.name, UID: j.uid, ResourceVersion: j.version,
			CreationTimestamp: metav1.NewTime(time.Unix(j.created, 0)),
			Annotations:       map[string]string{},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: owner.kind, Name: owner.name, UID: owner.uid, Controller: new(true),
			}},
		},
		Spec: batchv1.JobSpec{TTLSecondsAfterFinished: j.ttl},
	}
	for key, text := range map[string]string{
		v1alpha1.RunAnnotation: notes.run, v1alpha1.SettingsAnnotation: notes.settings, v1alpha1.TTLAnnotation: notes.ttlHeld,
	} {
		if text != "" {
			job.Annotations[key] = text
		}
	}
	end := batchv1.JobCondition{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, Reason: how.reason, Message: how.message}
	if how.failed {
		end.Type = batchv1.JobFailed
	}
	if j.completed != 0 {
		end.LastTransitionTime = metav1.NewTime(time.Unix(j.completed, 0))
	}
	job.Status.Conditions = []batchv1.JobCondition{end}
	return job
}

// trimmed is a Job without what nobody reads and what would otherwise double its size.
// It is never written back whole.
func trimmed(job *batchv1.Job) *batchv1.Job {
	job.ManagedFields = nil
	job.Spec.Template = corev1.PodTemplateSpec{}
	delete(job.Annotations, corev1.LastAppliedConfigAnnotation)
	return job
}

// recordPod is the transform of the cache of pods. It keeps what says why a Job's pod
// does not run, or that the Job will be Complete: for the latter a pod has to have the
// finalizer by which the Job controller tracks it (internal/jobs/certain.go).
func recordPod(in any) (any, error) {
	pod, ok := in.(*corev1.Pod)
	if !ok {
		return in, nil
	}
	if podEnded(pod) && len(pod.Finalizers) == 0 && pod.DeletionTimestamp == nil {
		return &endedPod{name: pod.Name, namespace: unique.Make(pod.Namespace)}, nil
	}
	status := corev1.PodStatus{Phase: pod.Status.Phase}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled {
			status.Conditions = append(status.Conditions, corev1.PodCondition{
				Type: condition.Type, Status: condition.Status, Reason: condition.Reason, Message: condition.Message,
			})
		}
	}
	status.InitContainerStatuses = trimContainers(pod.Status.InitContainerStatuses)
	status.ContainerStatuses = trimContainers(pod.Status.ContainerStatuses)
	pod.Spec, pod.Status = corev1.PodSpec{SchedulingGates: pod.Spec.SchedulingGates}, status
	pod.Annotations, pod.Labels, pod.ManagedFields = nil, nil, nil
	return pod, nil
}

func podEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

func trimContainers(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	var kept []corev1.ContainerStatus
	for i := range statuses {
		kept = append(kept, corev1.ContainerStatus{Name: statuses[i].Name, Image: statuses[i].Image, State: corev1.ContainerState{
			Waiting: statuses[i].State.Waiting, Running: statuses[i].State.Running, Terminated: terminated(statuses[i].State.Terminated),
		}})
	}
	return kept
}

// terminated keeps that a container has ended, and none of the details.
func terminated(state *corev1.ContainerStateTerminated) *corev1.ContainerStateTerminated {
	if state == nil {
		return nil
	}
	return &corev1.ContainerStateTerminated{ExitCode: state.ExitCode}
}
