package controllers

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// trustCreated is how long a Job that we created counts as existing though the
// cache does not show it. After that the API server is asked.
const trustCreated = 10 * time.Second

// readOnly spares the copy of what is only read. Nothing that comes from a read
// with it may be changed.
var readOnly = client.UnsafeDisableDeepCopyOption(true)

// observe reads the Jobs of a parent from the cache, with those that were created
// too recently for it. A Job that is recorded but missing there, or whose creation was
// not answered, is looked up live, since a step must not fail, nor run again, because
// the cache is behind.
func (c *childJobs) observe(ctx context.Context, parent v1alpha1.Parent, now time.Time) (plan.Observed, error) {
	recorded := parent.GetRuns()
	recent := c.recent.of(parent.GetUID())
	own, err := c.cached(parent, recorded)
	if err != nil {
		return plan.Observed{}, err
	}
	c.recent.fill(parent.GetUID(), recent, own, now)
	if err := c.lookUp(ctx, parent, own, now); err != nil {
		return plan.Observed{}, err
	}

	gone := map[string]bool{}
	for i := range recorded {
		run := &recorded[i]
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
			return plan.Observed{}, fmt.Errorf("looking up Job %s: %w", run.JobName, err)
		case string(job.UID) == run.JobUID:
			own[run.Name] = job
			c.recent.add(parent.GetUID(), run.Name, job, now)
		default:
			gone[run.Name] = true
		}
	}

	states := make(map[string]jobs.State, len(own))
	for name, job := range own {
		pods, err := c.pods(job)
		if err != nil {
			return plan.Observed{}, err
		}
		states[name] = jobs.Observe(job, pods)
	}
	return plan.Observed{Jobs: states, Gone: gone, CreateFailures: c.failures.get(parent.GetUID(), now)}, nil
}

// cached are the Jobs that the parent controls, by step or node, as the cache has
// them. One whose end is recorded is passed over if nothing of it is left to change:
// most are, in a large flow.
func (c *childJobs) cached(parent client.Object, recorded []v1alpha1.RunStatus) (map[string]*batchv1.Job, error) {
	ended := make(map[string]string, len(recorded))
	for i := range recorded {
		if plan.Final(recorded[i].Phase) {
			ended[recorded[i].Name] = recorded[i].JobUID
		}
	}
	list, err := c.cache.Jobs(parent.GetUID(), func(run string, job types.UID) bool { return ended[run] == string(job) })
	if err != nil {
		return nil, err
	}
	own := make(map[string]*batchv1.Job, len(list))
	for _, job := range list {
		// A Job that somebody took the annotation from is found by its recorded name.
		if run := job.Annotations[v1alpha1.RunAnnotation]; run != "" {
			own[run] = job
		}
	}
	return own, nil
}

// pods are the pods of a Job that has not ended; those of one that has tell
// nothing more.
func (c *childJobs) pods(job *batchv1.Job) ([]*corev1.Pod, error) {
	if ended(job) {
		return nil, nil
	}
	return c.cache.Pods(job.UID)
}

func ended(job *batchv1.Job) bool {
	return plan.Final(jobs.Observe(job, nil).Phase)
}
