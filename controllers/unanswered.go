package controllers

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/childcache"
)

// takesEffect is how long a request may take effect after its connection was lost: the
// API server ends it after that.
const takesEffect = time.Minute

// unanswered remembers the creations of Jobs that ended in an error and may have taken
// effect nevertheless. Most are just tried again, and the Job is found to exist. But the
// next pass may have a reason not to try: a deadline that has passed, a step that has
// failed. If the cache does not show the Job yet, its step would be Skipped, and the
// flow be at its end, while the Job runs.
type unanswered struct {
	mu       sync.Mutex
	byParent map[types.UID]map[string]creation
	swept    time.Time
}

// creation is that of a Job of this name.
type creation struct {
	job string
	at  time.Time
}

func (u *unanswered) add(parent types.UID, run, job string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sweep(now)
	if u.byParent[parent] == nil {
		u.byParent[parent] = map[string]creation{}
	}
	u.byParent[parent][run] = creation{job, now}
}

// of are the creations for a parent, by step or node, that may still take effect.
func (u *unanswered) of(parent types.UID, now time.Time) map[string]creation {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sweep(now)
	return maps.Clone(u.byParent[parent])
}

// sweep forgets the old ones, now and then, also those of parents that are gone.
func (u *unanswered) sweep(now time.Time) {
	if !older(u.swept, now, takesEffect) {
		return
	}
	u.swept = now
	for parent, creations := range u.byParent {
		for run, c := range creations {
			if older(c.at, now, takesEffect) {
				delete(creations, run)
			}
		}
		if len(creations) == 0 {
			delete(u.byParent, parent)
		}
	}
}

// lookUp adds to own the Jobs of a parent whose creation was not answered and that the
// API server has.
func (c *childJobs) lookUp(ctx context.Context, parent client.Object, own map[string]*batchv1.Job, now time.Time) error {
	for run, creation := range c.unanswered.of(parent.GetUID(), now) {
		if _, known := own[run]; known {
			continue
		}
		job := &batchv1.Job{}
		err := c.live.Get(ctx, client.ObjectKey{Namespace: parent.GetNamespace(), Name: creation.job}, job)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("looking up Job %s, whose creation was not answered: %w", creation.job, err)
		case metav1.IsControlledBy(job, parent) && job.Annotations[v1alpha1.RunAnnotation] == run:
			own[run] = childcache.Trim(job)
			c.recent.add(parent.GetUID(), run, job, now)
		}
	}
	return nil
}
