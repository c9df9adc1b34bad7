package childcache

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

// Most objects in a cluster have ended: finished flows keep their Jobs and pods until
// somebody deletes them. A Job takes 2.6 KB of memory even without its pod template, most of
// it empty fields, and a pod 2 KB. Of those that have ended the cache therefore holds records
// of a few hundred bytes.

// endedJob is what is read of a Job that has ended. Values that many Jobs share are stored
// once, and take one word of each.
type endedJob struct {
	name    string
	uid     types.UID
	version string

	owner       unique.Handle[jobOwner]
	annotations unique.Handle[jobAnnotations]
	end         unique.Handle[jobEnd]
	ttl         *int32

	created, completed int64 // Unix seconds; completed is 0 if it is not known
}

// jobOwner is the JobFlow or DaemonJob of a Job.
type jobOwner struct {
	namespace, kind, name string
	uid                   types.UID
}

// jobAnnotations are the annotations of a Job that the operator reads; empty where the Job
// has none.
type jobAnnotations struct {
	run, settings, ttlHeld string
}

// jobEnd is how a Job ended.
type jobEnd struct {
	failed          bool
	reason, message string
}

// endedPod stands for a pod that neither holds up its Job any more nor is needed to prove
// that the Job will be Complete.
type endedPod struct {
	name      string
	namespace unique.Handle[string]
}

// GetObjectMeta returns what an informer needs.
func (j *endedJob) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: j.owner.Value().namespace, Name: j.name, UID: j.uid, ResourceVersion: j.version}
}

// GetObjectMeta returns what an informer needs.
func (p *endedPod) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: p.namespace.Value(), Name: p.name}
}

// recordJob is the transform of the cache of Jobs. A Job that is being deleted is not
// recorded, since its deletion is another state.
func recordJob(in any) (any, error) {
	job, ok := in.(*batchv1.Job)
	if !ok {
		return in, nil
	}
	owner := metav1.GetControllerOfNoCopy(job)
	state := jobs.Observe(job, nil)
	if owner == nil || job.DeletionTimestamp != nil || !plan.Final(state.Phase) {
		return Trim(job), nil
	}
	record := &endedJob{
		name: job.Name, uid: job.UID, version: job.ResourceVersion,
		owner: unique.Make(jobOwner{namespace: job.Namespace, kind: owner.Kind, name: owner.Name, uid: owner.UID}),
		annotations: unique.Make(jobAnnotations{
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

// mayChange reports whether a plan may change the Job after its end is recorded: it has a TTL
// that is held until then, or settings of a DaemonJob.
func (j *endedJob) mayChange() bool {
	annotations := j.annotations.Value()
	return annotations.ttlHeld != "" || annotations.settings != ""
}

// job makes a Job of the record.
func (j *endedJob) job() *batchv1.Job {
	owner, annotations, how := j.owner.Value(), j.annotations.Value(), j.end.Value()
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
		v1alpha1.RunAnnotation: annotations.run, v1alpha1.SettingsAnnotation: annotations.settings, v1alpha1.TTLAnnotation: annotations.ttlHeld,
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

// Trim removes from a Job the fields that the operator does not read, which would double its
// size. A trimmed Job is never written back whole.
func Trim(job *batchv1.Job) *batchv1.Job {
	job.ManagedFields = nil
	job.Spec.Template = corev1.PodTemplateSpec{}
	delete(job.Annotations, corev1.LastAppliedConfigAnnotation)
	return job
}

// recordPod is the transform of the cache of pods. It keeps the fields that explain why a
// pod does not run, and those that prove that its Job will be Complete: for the latter a pod
// must have the finalizer by which the Job controller tracks it (internal/jobs/certain.go).
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

// terminated keeps the exit code of a container that has ended, without the details.
func terminated(state *corev1.ContainerStateTerminated) *corev1.ContainerStateTerminated {
	if state == nil {
		return nil
	}
	return &corev1.ContainerStateTerminated{ExitCode: state.ExitCode}
}
