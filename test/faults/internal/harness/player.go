package harness

import (
	"context"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/jobcontroller"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// What the annotations of a pod template tell the player about its Job.
const (
	// FailAnnotation is the step or node whose Job fails; the others succeed.
	FailAnnotation = "player/fail"
	// HoldAnnotation has the Job run until Release.
	HoldAnnotation = "player/hold"
)

// PlayerOptions say how Jobs run.
type PlayerOptions struct {
	// Pods has the player make the pods of all Jobs. Without them a Job just ends.
	Pods bool
	// Lag is how long after its pods have succeeded a Job is Complete: what the Job
	// controller takes, which is about a second, or less.
	Lag time.Duration
}

// named is an object that the player looks at.
type named struct {
	kind string // Job or Pod
	key  client.ObjectKey
}

// Player does what the Job controller, the kubelet, the TTL controller and the garbage
// collector do, as quickly as it can: Jobs run and end, or are suspended, or meet their
// activeDeadlineSeconds; their pods have the finalizer of the Job controller; what has
// ended goes after ttlSecondsAfterFinished, and what has no owner any more goes too.
type Player struct {
	client  client.Client
	record  *Record
	options PlayerOptions
	queue   workqueue.TypedDelayingInterface[named]

	mu          sync.Mutex
	released    map[client.ObjectKey]bool
	releasedAll bool
	succeeded   map[string]time.Time // pods, by UID
}

// Play starts a player that acts on what the record shows, until ctx ends. Nothing may
// stand between its client and the API server.
func Play(ctx context.Context, c client.Client, record *Record, options PlayerOptions) *Player {
	p := &Player{
		client:    c,
		record:    record,
		options:   options,
		queue:     workqueue.NewTypedDelayingQueue[named](),
		released:  map[client.ObjectKey]bool{},
		succeeded: map[string]time.Time{},
	}
	context.AfterFunc(ctx, p.queue.ShutDown)
	record.OnChange(p.notice)
	go p.work(ctx)
	return p
}

// Release lets a Job that is held go on, also one that does not exist yet.
func (p *Player) Release(key client.ObjectKey) {
	p.mu.Lock()
	p.released[key] = true
	p.mu.Unlock()
	p.queue.Add(named{"Job", key})
}

// ReleaseAll holds no Job any more.
func (p *Player) ReleaseAll() {
	p.mu.Lock()
	p.releasedAll = true
	p.mu.Unlock()
	for _, job := range history.Objects[*batchv1.Job](&p.record.History) {
		p.queue.Add(named{"Job", client.ObjectKeyFromObject(job)})
	}
}

func (p *Player) notice(change history.Change) {
	switch object := change.Object.(type) {
	case *batchv1.Job:
		p.queue.Add(named{"Job", client.ObjectKeyFromObject(object)})
		if change.Type == watch.Deleted {
			for _, pod := range history.Objects[*corev1.Pod](&p.record.History) {
				if metav1.IsControlledBy(pod, object) {
					p.queue.Add(named{"Pod", client.ObjectKeyFromObject(pod)})
				}
			}
		}
	case *corev1.Pod:
		p.queue.Add(named{"Pod", client.ObjectKeyFromObject(object)})
		if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
			p.queue.Add(named{"Job", client.ObjectKey{Namespace: object.Namespace, Name: owner.Name}})
		}
	case *v1alpha1.JobFlow, *v1alpha1.DaemonJob:
		if change.Type == watch.Deleted {
			for _, job := range history.Objects[*batchv1.Job](&p.record.History) {
				if metav1.IsControlledBy(job, change.Object) {
					p.queue.Add(named{"Job", client.ObjectKeyFromObject(job)})
				}
			}
		}
	}
}

// tryAgain is when to look again after somebody else has changed the object first.
const tryAgain = 5 * time.Millisecond

func (p *Player) work(ctx context.Context) {
	for {
		item, shutdown := p.queue.Get()
		if shutdown {
			return
		}
		var again time.Duration
		var err error
		if item.kind == "Pod" {
			err = p.collectPod(ctx, item.key)
		} else {
			again, err = p.run(ctx, item.key)
		}
		p.queue.Done(item)
		switch {
		case apierrors.IsNotFound(err), ctx.Err() != nil:
		case err != nil:
			p.queue.AddAfter(item, tryAgain)
			if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
				p.record.Fail(err) // nothing stands between the player and the API server
			}
		case again > 0:
			p.queue.AddAfter(item, again)
		}
	}
}

// run brings a Job a step further, and says when to look again.
func (p *Player) run(ctx context.Context, key client.ObjectKey) (again time.Duration, err error) {
	job := p.record.Job(key)
	if job == nil || job.DeletionTimestamp != nil {
		return 0, nil
	}
	if owner := metav1.GetControllerOfNoCopy(job); owner != nil && p.record.Gone(owner.UID) {
		return 0, p.delete(ctx, job)
	}
	if flows.JobIs(job, batchv1.JobComplete, batchv1.JobFailed) {
		return p.finished(ctx, job)
	}
	if ptr.Deref(job.Spec.Suspend, false) {
		return 0, p.endPods(ctx, job)
	}
	if seconds := job.Spec.ActiveDeadlineSeconds; seconds != nil {
		left := time.Until(job.CreationTimestamp.Add(time.Duration(*seconds) * time.Second))
		if left <= 0 {
			return 0, p.end(ctx, job, batchv1.JobFailed, batchv1.JobReasonDeadlineExceeded, "Job was active longer than specified deadline")
		}
		again = left
	}
	if p.options.Pods {
		done, lag, err := p.runPods(ctx, job)
		if !done || err != nil {
			return earlier(again, lag), err
		}
	}
	switch {
	case p.held(job):
		return again, nil
	case fails(job):
		return 0, p.end(ctx, job, batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
	}
	return 0, p.end(ctx, job, batchv1.JobComplete, batchv1.JobReasonCompletionsReached, "")
}

func earlier(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (p *Player) held(job *batchv1.Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return job.Spec.Template.Annotations[HoldAnnotation] != "" && !p.releasedAll && !p.released[client.ObjectKeyFromObject(job)]
}

func fails(job *batchv1.Job) bool {
	run := job.Annotations[v1alpha1.RunAnnotation]
	return run != "" && job.Spec.Template.Annotations[FailAnnotation] == run
}

// finished takes a Job away when its TTL has passed.
func (p *Player) finished(ctx context.Context, job *batchv1.Job) (again time.Duration, err error) {
	if err := p.endPods(ctx, job); err != nil {
		return 0, err
	}
	ttl := job.Spec.TTLSecondsAfterFinished
	if ttl == nil {
		return 0, nil
	}
	var end time.Time
	for i := range job.Status.Conditions {
		if c := &job.Status.Conditions[i]; c.LastTransitionTime.After(end) {
			end = c.LastTransitionTime.Time
		}
	}
	if left := time.Until(end.Add(time.Duration(*ttl) * time.Second)); left > 0 {
		return left, nil
	}
	return 0, p.delete(ctx, job)
}

// delete deletes a Job as the garbage collector and the TTL controller do; its pods
// follow when the record shows that it is gone.
func (p *Player) delete(ctx context.Context, job *batchv1.Job) error {
	return p.client.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground), client.Preconditions{UID: &job.UID})
}

func (p *Player) end(ctx context.Context, job *batchv1.Job, end batchv1.JobConditionType, reason, message string) error {
	ended := job.DeepCopy()
	jobcontroller.End(ended, end, reason, message)
	return p.client.Status().Update(ctx, ended)
}
