package harness

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
)

// TestQueuesBusy: what is queued, reconciled or put off to a time that is near shows.
func TestQueuesBusy(t *testing.T) {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[request](time.Hour, time.Hour)
	for name, c := range map[string]struct {
		do   func(q *queue, item request)
		want bool
	}{
		"nothing was added": {func(*queue, request) {}, false},
		"added":             {func(q *queue, item request) { q.Add(item) }, true},
		"being reconciled": {func(q *queue, item request) {
			q.Add(item)
			q.GetWithPriority()
		}, true},
		"reconciled": {func(q *queue, item request) {
			q.Add(item)
			q.GetWithPriority()
			q.Done(item)
		}, false},
		"put off for a while": {func(q *queue, item request) { q.AddAfter(item, time.Minute) }, true},
		"put off for long":    {func(q *queue, item request) { q.AddAfter(item, time.Hour) }, false},
		"tried again late":    {func(q *queue, item request) { q.AddRateLimited(item) }, false},
		"put off, and then come": {func(q *queue, item request) {
			q.AddAfter(item, time.Minute)
			q.Add(item)
			q.GetWithPriority()
			q.Done(item)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var qs queues
			q := qs.add("test", limiter).(*queue)
			t.Cleanup(q.ShutDown)
			c.do(q, request{NamespacedName: types.NamespacedName{Name: "a"}})
			if got := qs.busy(time.Now().Add(2 * time.Minute)); got != c.want {
				t.Errorf("busy: got %t, want %t", got, c.want)
			}
		})
	}
}
