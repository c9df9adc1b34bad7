package olm

import (
	"context"
	"fmt"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// record remembers every Job that a namespace ever had, those that are gone again
// too: a Job that was made twice cannot hide.
type record struct {
	mu   sync.Mutex
	jobs map[string][]types.UID
	gap  error // why the record is not complete
}

// recordOfSpec records the Jobs of a namespace that is still empty, until the spec ends.
func recordOfSpec(namespace string) *record {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	jobs := clientset.BatchV1().Jobs(namespace)
	list, err := jobs.List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	// It takes itself up again where it broke off, so that it misses nothing.
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{WatchFuncWithContext: jobs.Watch})
	Expect(err).NotTo(HaveOccurred())
	r := &record{jobs: map[string][]types.UID{}}
	go func() {
		for event := range watcher.ResultChan() {
			r.note(event)
		}
		if ctx.Err() == nil {
			r.note(watch.Event{Type: watch.Error})
		}
	}()
	return r
}

func (r *record) note(event watch.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if event.Type == watch.Error {
		r.gap = fmt.Errorf("the watch of Jobs broke off: %v", event.Object)
		return
	}
	if job, ok := event.Object.(*batchv1.Job); ok && !slices.Contains(r.jobs[job.Name], job.UID) {
		r.jobs[job.Name] = append(r.jobs[job.Name], job.UID)
		saw("Job %s created", job.Name)
	}
}

// created counts by name how often a Job was created.
func (r *record) created() map[string]int {
	GinkgoHelper()
	r.mu.Lock()
	defer r.mu.Unlock()
	Expect(r.gap).NotTo(HaveOccurred())
	counts := map[string]int{}
	for name, uids := range r.jobs {
		counts[name] = len(uids)
	}
	return counts
}
