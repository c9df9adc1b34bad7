package children

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/childcache"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// Observe reads the Jobs of a parent from the cache, and adds those that were created too
// recently to be there. A Job that is recorded but missing, or that may have been created, is
// read live, since a step must not fail, nor run again, because the cache is stale.
func (c *Children) Observe(ctx context.Context, parent v1alpha1.Parent, now time.Time) (plan.Observed, error) {
	remembered := c.memory.Jobs(parent)
	own, err := c.cached(parent)
	if err != nil {
		return plan.Observed{}, err
	}
	uncertain := c.memory.Complete(parent, remembered, own, now)
	if err := c.lookUpUncertain(ctx, parent, uncertain, own, now); err != nil {
		return plan.Observed{}, err
	}
	gone, err := c.lookUpMissing(ctx, parent, own, now)
	if err != nil {
		return plan.Observed{}, err
	}

	observed := plan.Observed{Jobs: make(map[string]jobs.State, len(own)), Gone: gone}
	for name, job := range own {
		pods, err := c.pods(job)
		if err != nil {
			return plan.Observed{}, err
		}
		observed.Jobs[name] = jobs.Observe(job, pods)
	}
	if !plan.Ended(parent) {
		observed.CreateFailures = c.memory.CreateFailures(parent)
	}
	return observed, nil
}

// cached returns the Jobs that the parent controls, by step or node, as the cache has them.
func (c *Children) cached(parent v1alpha1.Parent) (map[string]*batchv1.Job, error) {
	runs := parent.GetRuns()
	ended := make(map[string]string, len(runs))
	for i := range runs {
		if plan.Final(runs[i].Phase) {
			ended[runs[i].Name] = runs[i].JobUID
		}
	}
	list, err := c.cache.Jobs(parent.GetUID(), func(run string, job types.UID) bool { return ended[run] == string(job) })
	if err != nil {
		return nil, err
	}
	own := make(map[string]*batchv1.Job, len(list))
	for _, job := range list {
		// A Job whose annotation somebody removed is found by its recorded name.
		if run := job.Annotations[v1alpha1.RunAnnotation]; run != "" {
			own[run] = job
		}
	}
	return own, nil
}

// lookUpUncertain adds to own the Jobs that may have been created and that the API server
// has.
func (c *Children) lookUpUncertain(ctx context.Context, parent v1alpha1.Parent, uncertain map[string]string, own map[string]*batchv1.Job, now time.Time) error {
	for run, name := range uncertain {
		job := &batchv1.Job{}
		err := c.live.Get(ctx, client.ObjectKey{Namespace: parent.GetNamespace(), Name: name}, job)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("looking up Job %s, which may have been created: %w", name, err)
		case metav1.IsControlledBy(job, parent) && job.Annotations[v1alpha1.RunAnnotation] == run:
			own[run] = childcache.Trim(job)
			c.memory.Created(parent, run, job, now)
		}
	}
	return nil
}

// lookUpMissing adds to own the Jobs that are recorded and not there, and returns the steps or
// nodes of those that the API server does not have either.
func (c *Children) lookUpMissing(ctx context.Context, parent v1alpha1.Parent, own map[string]*batchv1.Job, now time.Time) (gone map[string]bool, err error) {
	gone = map[string]bool{}
	runs := parent.GetRuns()
	for i := range runs {
		run := &runs[i]
		if !plan.Active(run) {
			continue
		}
		if job, found := own[run.Name]; found && string(job.UID) == run.JobUID {
			continue
		}
		job := &batchv1.Job{}
		err := c.live.Get(ctx, client.ObjectKey{Namespace: parent.GetNamespace(), Name: run.JobName}, job)
		switch {
		case apierrors.IsNotFound(err):
			gone[run.Name] = true
		case err != nil:
			return nil, fmt.Errorf("looking up Job %s: %w", run.JobName, err)
		case string(job.UID) == run.JobUID:
			own[run.Name] = childcache.Trim(job)
			c.memory.Created(parent, run.Name, job, now)
		default:
			gone[run.Name] = true
		}
	}
	return gone, nil
}

// pods returns the pods of a Job that has not ended. Those of one that has do not matter.
func (c *Children) pods(job *batchv1.Job) ([]*corev1.Pod, error) {
	if plan.Final(jobs.Observe(job, nil).Phase) {
		return nil, nil
	}
	return c.cache.Pods(job.UID)
}
