package cluster

import (
	"context"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

// historian records a namespace, the results in all versions of its JobFlows and DaemonJobs, and
// the holders of the lease.
//
// What was created and deleted while the API server was restarted is not seen; if it ran,
// the ledger has it.
type historian struct {
	*record.Record
	mu sync.Mutex
	// results are those of steps and nodes, by JobFlow and DaemonJob.
	results map[types.UID]*history.Results
	leases  []leaseChange
	// renewals are when the holder of the lease was seen to have written it.
	renewals []time.Time
	renewed  metav1.MicroTime
}

// leaseChange is when a process became the leader.
type leaseChange struct {
	holder string
	at     time.Time
}

func newHistorian(records *record.Record) *historian {
	h := &historian{Record: records, results: map[types.UID]*history.Results{}}
	h.OnChange(h.note)
	return h
}

// recordTrial records a namespace, and the lease, until the spec ends.
func recordTrial(namespace string) *historian {
	GinkgoHelper()
	h := newHistorian(record.Start(k8s, namespace))
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	parents := []client.ObjectList{&v1alpha1.JobFlowList{}, &v1alpha1.DaemonJobList{}}
	Expect(h.Follow(ctx, k8s, parents, client.InNamespace(namespace))).To(Succeed())
	leases := []client.ObjectList{&coordinationv1.LeaseList{}}
	Expect(h.Follow(ctx, k8s, leases, client.InNamespace(lease.Namespace), client.MatchingFields{"metadata.name": lease.Name})).To(Succeed())
	return h
}

func (h *historian) note(change history.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch object := change.Object.(type) {
	case *v1alpha1.JobFlow, *v1alpha1.DaemonJob:
		if h.results[object.GetUID()] == nil {
			h.results[object.GetUID()] = &history.Results{}
		}
		h.results[object.GetUID()].Note(change)
	case *coordinationv1.Lease:
		h.noteLease(object)
	}
}

// noteLease ignores a Lease that was listed again without a renewal.
func (h *historian) noteLease(held *coordinationv1.Lease) {
	holder, renewed := holder(held), ptr.Deref(held.Spec.RenewTime, metav1.MicroTime{})
	if holder == "" || renewed.Equal(&h.renewed) {
		return
	}
	now := time.Now()
	h.renewed, h.renewals = renewed, append(h.renewals, now)
	if len(h.leases) == 0 || h.leases[len(h.leases)-1].holder != holder {
		h.leases = append(h.leases, leaseChange{holder, now})
		testkit.Saw("the lease with %s", holder)
	}
}

// changedOf returns the results of a JobFlow or DaemonJob that changed after they were recorded.
func (h *historian) changedOf(parent client.Object) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if results := h.results[parent.GetUID()]; results != nil {
		return results.Broken()
	}
	return []string{"no version of it was seen"}
}

// jobsOf are the Jobs of a JobFlow or DaemonJob by the name of the step or node.
func (h *historian) jobsOf(parent client.Object) map[string][]*batchv1.Job {
	jobs := map[string][]*batchv1.Job{}
	for _, job := range h.jobs() {
		if metav1.IsControlledBy(job.Object, parent) {
			run := job.Object.Annotations[v1alpha1.RunAnnotation]
			jobs[run] = append(jobs[run], job.Object)
		}
	}
	return jobs
}

// jobs are all Jobs, in the order in which they were first seen.
func (h *historian) jobs() []history.Entry[*batchv1.Job] {
	return history.Entries[*batchv1.Job](&h.History)
}

// firstJobAfter is when the first Job appeared after a moment, or zero.
func (h *historian) firstJobAfter(moment time.Time) time.Time {
	for _, job := range h.jobs() {
		if job.Seen.After(moment) {
			return job.Seen
		}
	}
	return time.Time{}
}

// leaderAfter returns the first change of the leader after a moment, or the zero value.
func (h *historian) leaderAfter(moment time.Time) leaseChange {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, change := range h.leases {
		if change.at.After(moment) {
			return change
		}
	}
	return leaseChange{}
}

// renewedAfter returns when a leader first renewed the lease after a moment, or zero.
func (h *historian) renewedAfter(moment time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, renewed := range h.renewals {
		if renewed.After(moment) {
			return renewed
		}
	}
	return time.Time{}
}
