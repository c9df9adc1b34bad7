package harness

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// runPods makes the pods of a Job and runs them to their end. done is true when they
// have all ended and the Job controller would say so by now.
func (p *Player) runPods(ctx context.Context, job *batchv1.Job) (done bool, lag time.Duration, err error) {
	held := p.held(job)
	phase := corev1.PodSucceeded
	if fails(job) {
		phase = corev1.PodFailed
	}
	done = !held
	for i := range ptr.Deref(job.Spec.Completions, 1) {
		key := client.ObjectKey{Namespace: job.Namespace, Name: fmt.Sprintf("%s-%d", job.Name, i)}
		pod := p.record.Pod(key)
		switch {
		case pod == nil || !metav1.IsControlledBy(pod, job):
			return false, 0, p.startPod(ctx, job, key.Name)
		case held:
		case pod.Status.Phase != phase:
			if err := p.endPod(ctx, pod, phase); err != nil {
				return false, 0, err
			}
			done = false // the record shows it next
		default:
			if left := p.options.Lag - time.Since(p.endOf(pod)); left > 0 {
				done, lag = false, left
			}
		}
	}
	return done, lag, nil
}

// endOf is when the player first saw that the pod has ended.
func (p *Player) endOf(pod *corev1.Pod) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.succeeded[string(pod.UID)]; !known {
		p.succeeded[string(pod.UID)] = time.Now()
	}
	return p.succeeded[string(pod.UID)]
}

func (p *Player) startPod(ctx context.Context, job *batchv1.Job, name string) error {
	template := job.Spec.Template.DeepCopy()
	return p.client.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, Name: name, Labels: template.Labels, Annotations: template.Annotations,
			Finalizers:      []string{batchv1.JobTrackingFinalizer},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: template.Spec,
	})
}

func (p *Player) endPod(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase) error {
	ended := pod.DeepCopy()
	ended.Status.Phase = phase
	return p.client.Status().Update(ctx, ended)
}

// endPods takes away the pods of a Job that is suspended, and lets go of those of one
// that has ended.
func (p *Player) endPods(ctx context.Context, job *batchv1.Job) error {
	for _, pod := range history.Objects[*corev1.Pod](&p.record.History) {
		if !metav1.IsControlledBy(pod, job) {
			continue
		}
		if err := p.letGo(ctx, pod); err != nil {
			return err
		}
		if ptr.Deref(job.Spec.Suspend, false) {
			if err := p.deletePod(ctx, pod); err != nil {
				return err
			}
		}
	}
	return nil
}

// collectPod takes a pod away whose Job is gone.
func (p *Player) collectPod(ctx context.Context, key client.ObjectKey) error {
	pod := p.record.Pod(key)
	if pod == nil {
		return nil
	}
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || !p.record.Gone(owner.UID) {
		return nil
	}
	if err := p.letGo(ctx, pod); err != nil {
		return err
	}
	return p.deletePod(ctx, pod)
}

// letGo takes the finalizer off a pod, as the Job controller does once it has counted it.
func (p *Player) letGo(ctx context.Context, pod *corev1.Pod) error {
	if len(pod.Finalizers) == 0 {
		return nil
	}
	free := pod.DeepCopy()
	free.Finalizers = nil
	return client.IgnoreNotFound(p.client.Patch(ctx, free, client.MergeFrom(pod)))
}

func (p *Player) deletePod(ctx context.Context, pod *corev1.Pod) error {
	return client.IgnoreNotFound(p.client.Delete(ctx, pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID}))
}
