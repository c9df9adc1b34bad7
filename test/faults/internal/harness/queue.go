package harness

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

type (
	request      = reconcile.Request
	rateLimiter  = workqueue.TypedRateLimiter[request]
	requestQueue = priorityqueue.PriorityQueue[request]
)

// queues are those of the controllers of one operator.
type queues struct {
	mu  sync.Mutex
	all []*queue
}

// add makes the queue of a controller, the same that controller-runtime makes.
func (qs *queues) add(controller string, limiter rateLimiter) workqueue.TypedRateLimitingInterface[request] {
	q := &queue{working: map[request]bool{}, due: map[request]time.Time{}}
	q.requestQueue = priorityqueue.New(controller, func(o *priorityqueue.Opts[request]) { o.RateLimiter = notedLimiter{limiter, q} })
	qs.mu.Lock()
	defer qs.mu.Unlock()
	qs.all = append(qs.all, q)
	return q
}

// busy says whether anything is being reconciled, or will be before a time.
func (qs *queues) busy(before time.Time) bool {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	for _, q := range qs.all {
		if q.busy(before) {
			return true
		}
	}
	return false
}

// queue is one that tells what is left to do.
//
// Its notes need no lock in common with the queue within: whatever is put off is put off
// by the reconcile of the same object, so that nobody else takes it meanwhile.
type queue struct {
	requestQueue

	mu      sync.Mutex
	working map[request]bool
	due     map[request]time.Time // what was put off
}

func (q *queue) busy(before time.Time) bool {
	if q.Len() > 0 { // which puts what was just added where it belongs
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, due := range q.due {
		if due.Before(before) {
			return true
		}
	}
	return len(q.working) > 0
}

func (q *queue) putOff(item request, after time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	due := time.Now().Add(after)
	if earlier, found := q.due[item]; !found || due.Before(earlier) {
		q.due[item] = due
	}
}

// AddWithOpts implements priorityqueue.PriorityQueue.
func (q *queue) AddWithOpts(options priorityqueue.AddOpts, items ...request) {
	for _, item := range items {
		if options.After > 0 {
			q.putOff(item, options.After)
		}
	}
	q.requestQueue.AddWithOpts(options, items...)
}

// AddAfter implements priorityqueue.PriorityQueue.
func (q *queue) AddAfter(item request, after time.Duration) {
	q.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

// GetWithPriority implements priorityqueue.PriorityQueue.
func (q *queue) GetWithPriority() (item request, priority int, shutdown bool) {
	item, priority, shutdown = q.requestQueue.GetWithPriority()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.working[item] = true
	delete(q.due, item)
	return item, priority, shutdown
}

// Done implements priorityqueue.PriorityQueue.
func (q *queue) Done(item request) {
	q.mu.Lock()
	delete(q.working, item)
	q.mu.Unlock()
	q.requestQueue.Done(item)
}

// notedLimiter notes when a queue tries again what has failed.
type notedLimiter struct {
	rateLimiter
	queue *queue
}

// When implements workqueue.TypedRateLimiter.
func (l notedLimiter) When(item request) time.Duration {
	after := l.rateLimiter.When(item)
	l.queue.putOff(item, after)
	return after
}
