package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// record remembers every Job that a namespace had, those that are gone again too, every
// result that was recorded, and who held the lease.
//
// An API server that was restarted knows nothing of before, so that a watch has to begin
// anew with a list. What was created and deleted between the two is not seen; if it ran,
// the ledger has it.
type record struct {
	mu   sync.Mutex
	jobs []*seenJob
	// results are the phases of steps and nodes that have ended, by parent and name.
	results map[types.UID]map[string]v1alpha1.Phase
	// changed tells of results that did not stay.
	changed []string
	leases  []leaseChange
	// renewals are when the holder of the lease was seen to have written it.
	renewals []time.Time
	renewed  metav1.MicroTime
}

// seenJob is a Job as it was last seen.
type seenJob struct {
	*batchv1.Job
	first time.Time
}

// leaseChange is when a process became the leader.
type leaseChange struct {
	holder string
	at     time.Time
}

// recordOf records a namespace, and the lease, until the spec ends.
func recordOf(namespace string) *record {
	GinkgoHelper()
	r := &record{results: map[types.UID]map[string]v1alpha1.Phase{}}
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	r.follow(ctx, &batchv1.JobList{}, client.InNamespace(namespace))
	r.follow(ctx, &v1alpha1.JobFlowList{}, client.InNamespace(namespace))
	r.follow(ctx, &v1alpha1.DaemonJobList{}, client.InNamespace(namespace))
	r.follow(ctx, &coordinationv1.LeaseList{}, client.InNamespace(lease.Namespace), client.MatchingFields{"metadata.name": lease.Name})
	return r
}

// follow lists and watches for as long as ctx lasts. The first list is there when it
// returns.
func (r *record) follow(ctx context.Context, list client.ObjectList, options ...client.ListOption) {
	GinkgoHelper()
	resume, err := r.list(ctx, list, options)
	Expect(err).NotTo(HaveOccurred())
	go func() {
		defer GinkgoRecover()
		for ctx.Err() == nil {
			if resume == "" {
				resume, _ = r.list(ctx, list, options)
			}
			if resume != "" {
				resume = r.watch(ctx, list, resume, options)
			}
			// Nothing tells when the API server is back but asking it.
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
}

func (r *record) list(ctx context.Context, list client.ObjectList, options []client.ListOption) (resourceVersion string, err error) {
	if err := k8s.List(ctx, list, options...); err != nil {
		return "", err
	}
	return list.GetResourceVersion(), meta.EachListItem(list, func(object runtime.Object) error {
		r.note(object)
		return nil
	})
}

// watch returns where to take the watch up again, and nothing if that cannot be.
func (r *record) watch(ctx context.Context, list client.ObjectList, from string, options []client.ListOption) (resume string) {
	raw := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: from}}
	watcher, err := k8s.Watch(ctx, list, append([]client.ListOption{raw}, options...)...)
	if err != nil {
		return ""
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		if event.Type == watch.Error {
			return ""
		}
		r.note(event.Object)
		if object, err := meta.Accessor(event.Object); err == nil {
			from = object.GetResourceVersion()
		}
	}
	return from
}

func (r *record) note(object runtime.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch object := object.(type) {
	case *batchv1.Job:
		r.noteJob(object)
	case *v1alpha1.JobFlow:
		r.noteResults(object, object.Status.Flows)
	case *v1alpha1.DaemonJob:
		r.noteResults(object, object.Status.Nodes)
	case *coordinationv1.Lease:
		r.noteLease(object)
	}
}

// noteLease does not take a list that is as before for a renewal.
func (r *record) noteLease(held *coordinationv1.Lease) {
	holder, renewed := holder(held), ptr.Deref(held.Spec.RenewTime, metav1.MicroTime{})
	if holder == "" || renewed.Equal(&r.renewed) {
		return
	}
	now := time.Now()
	r.renewed, r.renewals = renewed, append(r.renewals, now)
	if len(r.leases) == 0 || r.leases[len(r.leases)-1].holder != holder {
		r.leases = append(r.leases, leaseChange{holder, now})
		saw("the lease with %s", holder)
	}
}

func (r *record) noteJob(job *batchv1.Job) {
	for _, known := range r.jobs {
		if known.UID == job.UID {
			known.Job = job.DeepCopy()
			return
		}
	}
	r.jobs = append(r.jobs, &seenJob{job.DeepCopy(), time.Now()})
}

func (r *record) noteResults(parent client.Object, runs []v1alpha1.RunStatus) {
	phases := map[string]v1alpha1.Phase{}
	for i := range runs {
		phases[runs[i].Name] = runs[i].Phase
	}
	results := r.results[parent.GetUID()]
	if results == nil {
		results = map[string]v1alpha1.Phase{}
		r.results[parent.GetUID()] = results
	}
	for name, result := range results {
		if phases[name] != result {
			r.changed = append(r.changed, fmt.Sprintf("%s/%s was %s and became %q", parent.GetName(), name, result, phases[name]))
		}
	}
	for name, phase := range phases {
		if phase == v1alpha1.PhaseSucceeded || phase == v1alpha1.PhaseFailed {
			results[name] = phase
		}
	}
}

// changedOf tells of the results of a JobFlow or DaemonJob that did not stay.
func (r *record) changedOf(parent client.Object) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changed []string
	for _, change := range r.changed {
		if strings.HasPrefix(change, parent.GetName()+"/") {
			changed = append(changed, change)
		}
	}
	return changed
}

// jobsOf are the Jobs of a JobFlow or DaemonJob by the name of the step or node.
func (r *record) jobsOf(parent client.Object) map[string][]*batchv1.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	jobs := map[string][]*batchv1.Job{}
	for _, job := range r.jobs {
		if metav1.IsControlledBy(job, parent) {
			run := job.Annotations[v1alpha1.RunAnnotation]
			jobs[run] = append(jobs[run], job.Job)
		}
	}
	return jobs
}

// firstJobAfter is when the first Job appeared after a moment, or zero.
func (r *record) firstJobAfter(moment time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, job := range r.jobs {
		if job.first.After(moment) {
			return job.first
		}
	}
	return time.Time{}
}

// leaderAfter is who first became the leader after a moment, or nobody.
func (r *record) leaderAfter(moment time.Time) leaseChange {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, change := range r.leases {
		if change.at.After(moment) {
			return change
		}
	}
	return leaseChange{}
}

// renewedAfter is when a leader first showed that it lives after a moment, or zero.
func (r *record) renewedAfter(moment time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, renewed := range r.renewals {
		if renewed.After(moment) {
			return renewed
		}
	}
	return time.Time{}
}

func (r *record) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.jobs)
}
