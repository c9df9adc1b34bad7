package main

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/jobcontroller"
)

// player stands in for the Job controller, the kubelet and the TTL controller: a Job
// ends as its annotations say, at once if they say nothing.
type player struct {
	client client.Client
	census *census
}

func (p *player) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("player").For(&batchv1.Job{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 8}).Complete(quiet{p})
}

// Reconcile brings one Job nearer to its end.
func (p *player) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	job := &batchv1.Job{}
	if err := p.client.Get(ctx, request.NamespacedName, job); err != nil || job.DeletionTimestamp != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if endOf(job) != "" {
		return p.expire(ctx, job)
	}
	if ptr.Deref(job.Spec.Suspend, false) {
		return ctrl.Result{}, nil
	}
	notes := job.Spec.Template.Annotations
	lasts, _ := time.ParseDuration(notes[lastsNote]) // none is 0
	if _, has := notes[podsNote]; has {
		if err := p.playPod(ctx, job); err != nil {
			return ctrl.Result{}, err
		}
		lasts = time.Second // by which the Job controller gathers the ends of pods
	}
	if job.Status.StartTime == nil {
		job.Status.StartTime = ptr.To(metav1.Now())
		if lasts > 0 {
			return ctrl.Result{}, p.client.Status().Update(ctx, job)
		}
	}
	age := time.Since(job.Status.StartTime.Time)
	wait := lasts - age
	if deadline := job.Spec.ActiveDeadlineSeconds; deadline != nil {
		left := time.Duration(*deadline)*time.Second - age
		if left <= 0 {
			return ctrl.Result{}, p.end(ctx, job, batchv1.JobFailed, batchv1.JobReasonDeadlineExceeded)
		}
		wait = min(wait, left)
	}
	if wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if _, fail := notes[failNote]; fail {
		return ctrl.Result{}, p.end(ctx, job, batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded)
	}
	return ctrl.Result{}, p.end(ctx, job, batchv1.JobComplete, batchv1.JobReasonCompletionsReached)
}

// end writes the conditions, after it has taken the finalizer off the pod, as the Job
// controller does.
func (p *player) end(ctx context.Context, job *batchv1.Job, end batchv1.JobConditionType, reason string) error {
	if _, has := job.Spec.Template.Annotations[podsNote]; has {
		pod := podOf(job)
		err := p.client.Patch(ctx, pod, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
		if client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	jobcontroller.End(job, end, reason, "")
	return p.client.Status().Update(ctx, job)
}

// playPod makes the Job's pod and has it succeed.
func (p *player) playPod(ctx context.Context, job *batchv1.Job) error {
	pod := podOf(job)
	err := p.client.Get(ctx, client.ObjectKeyFromObject(pod), pod)
	if apierrors.IsNotFound(err) {
		err = p.client.Create(ctx, pod)
	}
	if err != nil || pod.Status.Phase == corev1.PodSucceeded {
		return err
	}
	p.census.podSucceeds(job)
	pod.Status.Phase = corev1.PodSucceeded
	return p.client.Status().Update(ctx, pod)
}

func podOf(job *batchv1.Job) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, Name: job.Name + "-x", Labels: job.Spec.Template.Labels,
			Finalizers:      []string{batchv1.JobTrackingFinalizer},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: job.Spec.Template.Spec,
	}
}

// expire deletes a Job whose TTL has passed.
func (p *player) expire(ctx context.Context, job *batchv1.Job) (ctrl.Result, error) {
	ttl := job.Spec.TTLSecondsAfterFinished
	if ttl == nil {
		return ctrl.Result{}, nil
	}
	last := job.Status.Conditions[len(job.Status.Conditions)-1].LastTransitionTime
	if left := time.Until(last.Add(time.Duration(*ttl) * time.Second)); left > 0 {
		return ctrl.Result{RequeueAfter: left}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(remove(ctx, p.client, job))
}
