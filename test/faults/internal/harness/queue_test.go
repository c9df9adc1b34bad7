package harness

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
)

// TestQueuesBusy: objects that are queued, reconciled or due soon make the queues busy.
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
		"requeued, due soon": {func(q *queue, item request) { q.AddAfter(item, time.Minute) }, true},
		"requeued, due late": {func(q *queue, item request) { q.AddAfter(item, time.Hour) }, false},
		"failed, due late":   {func(q *queue, item request) { q.AddRateLimited(item) }, false},
		"requeued, and reconciled earlier": {func(q *queue, item request) {
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
