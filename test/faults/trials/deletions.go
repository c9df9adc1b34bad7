package trials

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// deleted deletes every Job, as a user may, right after write n of the operator. Recorded
// results must not change. A step whose Job was deleted before its result was recorded has to
// fail; it must not run again.
func deleted(n int) scenario.Inject {
	return func(w *scenario.World, fault *scenario.Fault) {
		fault.Accepts = func(w *scenario.World) bool { return fault.Injected.Load() > 0 && w.EndedAsItsJobs() }
		fault.Transport = func(*scenario.Life) harness.Transport {
			var writes atomic.Int64
			return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				response, err := next.RoundTrip(r)
				if harness.IsWrite(r) && !isEvent(r) && int(writes.Add(1)) == n {
					if failure := deleteJobs(r.Context(), w, &fault.Injected); failure != nil {
						return response, failure
					}
					// The scenario may never release a Job, since it waits for one that is gone.
					w.Player.ReleaseAll()
				}
				return response, err
			}
		}
	}
}

// deleteJobs deletes all Jobs of the world that have an owner, as kubectl does. It counts each
// Job before it deletes it, so that a check that misses the Job also sees the count.
func deleteJobs(ctx context.Context, w *scenario.World, count *atomic.Int64) error {
	list := &batchv1.JobList{}
	if err := w.Server.Client.List(ctx, list, client.InNamespace(w.Namespace)); err != nil {
		return fmt.Errorf("listing Jobs: %w", err)
	}
	for i := range list.Items {
		if metav1.GetControllerOfNoCopy(&list.Items[i]) == nil {
			continue
		}
		count.Add(1)
		err := w.Server.Client.Delete(ctx, &list.Items[i], client.PropagationPolicy(metav1.DeletePropagationBackground))
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting a Job: %w", err)
		}
	}
	return nil
}
