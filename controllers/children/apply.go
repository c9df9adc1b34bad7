// Package children observes the Jobs of JobFlows and DaemonJobs, and applies plans to them.
// It is the only place that creates, changes and deletes Jobs.
package children

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/childcache"
	"github.com/jobflow-operator/jobflow-operator/controllers/memory"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// Children are the Jobs of all parents.
type Children struct {
	cache  Cache
	client client.Client
	live   client.Reader
	memory *memory.Memory
}

// Cache has the Jobs that the operator made, and their pods: a *childcache.Cache.
type Cache interface {
	Jobs(parent types.UID, recorded func(run string, job types.UID) bool) ([]*batchv1.Job, error)
	Pods(job types.UID) ([]*corev1.Pod, error)
}

// New returns the Jobs that the cache has. live reads from the API server.
func New(cache Cache, writer client.Client, live client.Reader, memory *memory.Memory) *Children {
	return &Children{cache: cache, client: writer, live: live, memory: memory}
}

// Apply carries out a plan and records in it the result of each creation. An error means
// that something has to be retried with backoff; what was done before it stands and is
// recorded.
func (c *Children) Apply(ctx context.Context, parent v1alpha1.Parent, p *plan.Plan, now time.Time) error {
	return errors.Join(
		c.update(ctx, p.Update),
		c.delete(ctx, p.Delete),
		c.create(ctx, parent, p, now),
	)
}

// update patches Jobs. The patch is bound to the version that was read: if something else, a
// queue for example, changed the Job in between, the next reconcile plans from that.
func (c *Children) update(ctx context.Context, changes []plan.Change) error {
	var errs []error
	for _, change := range changes {
		patch := client.MergeFromWithOptions(change.From, client.MergeFromWithOptimisticLock{})
		if err := c.client.Patch(ctx, change.To, patch); client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("updating Job %s: %w", change.From.Name, err))
		}
	}
	return errors.Join(errs...)
}

// delete deletes Jobs with their pods: the API's default for a Job would leave the pods
// running. The UID protects a later Job of the same name.
func (c *Children) delete(ctx context.Context, list []*batchv1.Job) error {
	var errs []error
	for _, job := range list {
		err := c.client.Delete(ctx, job,
			client.PropagationPolicy(metav1.DeletePropagationBackground),
			client.Preconditions{UID: &job.UID})
		if client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("deleting Job %s: %w", job.Name, err))
		}
	}
	return errors.Join(errs...)
}

// create creates Jobs in parallel, in batches that double. It stops after a batch in which
// a creation failed.
func (c *Children) create(ctx context.Context, parent v1alpha1.Parent, p *plan.Plan, now time.Time) error {
	rest := p.Create
	for size := p.FirstBatch(now); len(rest) > 0; size = min(2*size, plan.MaxBatch) {
		batch := rest[:min(size, len(rest))]
		rest = rest[len(batch):]

		outcomes := make([]outcome, len(batch))
		var wait sync.WaitGroup
		for i := range batch {
			wait.Go(func() { outcomes[i] = c.createOne(ctx, parent, batch[i].Job) })
		}
		wait.Wait()

		var errs []error
		for i, o := range outcomes {
			c.record(p, parent, batch[i], o, now)
			errs = append(errs, o.err)
		}
		err := errors.Join(errs...)
		refused := slices.IndexFunc(outcomes, func(o outcome) bool { return o.reason == v1alpha1.ReasonCreateFailed })
		if refused >= 0 {
			for _, creation := range rest {
				p.RecordNotTried(creation.Run, batch[refused].Job.Name)
			}
		}
		if err != nil || refused >= 0 {
			return err
		}
	}
	return nil
}

// outcome is the result of one creation: a Job that exists, the reason why it was not created,
// or an error, with a reason if the API server gave one.
type outcome struct {
	job             *batchv1.Job
	reason, message string
	final           bool // a retry would be refused, too
	err             error
}

// record records the result of a creation in the plan and in memory.
func (c *Children) record(p *plan.Plan, parent v1alpha1.Parent, creation plan.Creation, o outcome, now time.Time) {
	if o.err != nil {
		c.memory.MayBeCreated(parent, p.Runs[creation.Run].Name, creation.Job.Name, now)
	}
	switch {
	case o.job != nil:
		c.memory.Created(parent, p.Runs[creation.Run].Name, o.job, now)
		p.RecordCreated(creation.Run, o.job)
		if !creation.Ready.IsZero() {
			metrics.StepStarted(now.Sub(creation.Ready))
		}
	case o.final:
		p.RecordRejected(creation.Run, o.message, now)
	case o.err != nil || o.reason != "":
		p.RecordFailure(creation.Run, plan.CreateFailure{Reason: o.reason, Message: o.message, Transient: o.err != nil}, now)
	}
}

func (c *Children) createOne(ctx context.Context, parent v1alpha1.Parent, job *batchv1.Job) outcome {
	err := c.client.Create(ctx, job)
	switch {
	case err == nil:
		return outcome{job: childcache.Trim(job)}
	case apierrors.IsAlreadyExists(err):
		return c.existing(ctx, parent, job)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return outcome{} // the parent is about to be deleted too
	case apierrors.IsInvalid(err):
		if ref := job.Annotations[v1alpha1.JobTemplateAnnotation]; ref != "" {
			return outcome{reason: v1alpha1.ReasonInvalidJobTemplate, message: fmt.Sprintf("JobTemplate %q cannot be used: %s", ref, err)}
		}
		return outcome{final: true, message: err.Error()}
	case apierrors.IsForbidden(err):
		return outcome{reason: v1alpha1.ReasonCreateFailed, message: err.Error()}
	default:
		return transientFailure(job, err)
	}
}

// transientFailure is an error that may pass by itself. The creation is retried with backoff, and
// if the API server answered no later than after plan.RetryAfter, since other Jobs wait for the
// result. Its answer is shown meanwhile: another operator's webhook may be down for hours. A
// conflict, that of a quota, passes at once.
func transientFailure(job *batchv1.Job, err error) outcome {
	o := outcome{err: fmt.Errorf("creating Job %s: %w", job.Name, err)}
	var answer apierrors.APIStatus
	if errors.As(err, &answer) && !apierrors.IsConflict(err) {
		o.reason, o.message = v1alpha1.ReasonCreateFailed, err.Error()
	}
	return o
}

// existing handles a Job that has the name already. It is the wanted one if the operator created
// it and ended before it was recorded, or if the response to its creation was lost.
func (c *Children) existing(ctx context.Context, parent v1alpha1.Parent, wanted *batchv1.Job) outcome {
	job := &batchv1.Job{}
	if err := c.live.Get(ctx, client.ObjectKeyFromObject(wanted), job); err != nil {
		return outcome{err: fmt.Errorf("looking up Job %s, which exists already: %w", wanted.Name, err)}
	}
	if metav1.IsControlledBy(job, parent) && jobs.FindRun(job) == jobs.FindRun(wanted) {
		return outcome{job: childcache.Trim(job)}
	}
	return outcome{reason: v1alpha1.ReasonNameConflict, message: conflictMessage(job)}
}

func conflictMessage(job *batchv1.Job) string {
	owner := "has no owner"
	if ref := metav1.GetControllerOfNoCopy(job); ref != nil {
		owner = fmt.Sprintf("is owned by %s %s (UID %s)", ref.Kind, ref.Name, ref.UID)
	}
	if job.DeletionTimestamp != nil {
		return fmt.Sprintf("a Job named %s exists already, %s and is being deleted; the name is free after that", job.Name, owner)
	}
	return fmt.Sprintf("a Job named %s exists already and %s; delete or rename it", job.Name, owner)
}
