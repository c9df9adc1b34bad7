package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// keepFailures is how long the failures of a parent are kept that is not reconciled.
const keepFailures = time.Minute

// createFailures keeps the plan.CreateFailures of each parent from one reconcile to the
// next. No two reconciles of a parent run at the same time.
type createFailures struct {
	mu       sync.Mutex
	byParent map[types.UID]*keptFailures
	swept    time.Time
}

type keptFailures struct {
	failures plan.CreateFailures
	used     time.Time
}

// get returns those of a parent. Now and then it forgets the parents that are no longer
// reconciled.
func (c *createFailures) get(parent types.UID, now time.Time) *plan.CreateFailures {
	c.mu.Lock()
	defer c.mu.Unlock()
	if older(c.swept, now, keepFailures) {
		c.swept = now
		for uid, kept := range c.byParent {
			if older(kept.used, now, keepFailures) {
				delete(c.byParent, uid)
			}
		}
	}
	kept := c.byParent[parent]
	if kept == nil {
		kept = &keptFailures{}
		c.byParent[parent] = kept
	}
	kept.used = now
	return &kept.failures
}
