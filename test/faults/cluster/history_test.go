package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

// history is the record of a namespace, with every result that was recorded there, and who
// held the lease.
//
// What was created and deleted while the API server was restarted is not seen; if it ran,
// the ledger has it.
type history struct {
	*record.Record
	mu sync.Mutex
	// results are the phases of steps and nodes that have ended, by parent and name.
	results map[types.UID]map[string]v1alpha1.Phase
	// changed tells of results that did not stay.
	changed []string
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

func newHistory(records *record.Record) *history {
	return &history{Record: records, results: map[types.UID]map[string]v1alpha1.Phase{}}
}

// historyOf records a namespace, and the lease, until the spec ends.
func historyOf(namespace string) *history {
	GinkgoHelper()
	h := newHistory(record.Start(k8s, namespace))
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	follow := func(list client.ObjectList, options ...client.ListOption) {
		GinkgoHelper()
		record.Follow(ctx, k8s, list, h.note, func(error) {}, options...)
	}
	follow(&v1alpha1.JobFlowList{}, client.InNamespace(namespace))
	follow(&v1alpha1.DaemonJobList{}, client.InNamespace(namespace))
	follow(&coordinationv1.LeaseList{}, client.InNamespace(lease.Namespace), client.MatchingFields{"metadata.name": lease.Name})
	return h
}

func (h *history) note(object client.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch object := object.(type) {
	case *v1alpha1.JobFlow, *v1alpha1.DaemonJob:
		h.noteResults(object)
	case *coordinationv1.Lease:
		h.noteLease(object)
	}
}

// noteLease does not take a list that is as before for a renewal.
func (h *history) noteLease(held *coordinationv1.Lease) {
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

func (h *history) noteResults(parent client.Object) {
	runs := flows.Runs(parent)
	phases := map[string]v1alpha1.Phase{}
	for i := range runs {
		phases[runs[i].Name] = runs[i].Phase
	}
	results := h.results[parent.GetUID()]
	if results == nil {
		results = map[string]v1alpha1.Phase{}
		h.results[parent.GetUID()] = results
	}
	for name, result := range results {
		if phases[name] != result {
			h.changed = append(h.changed, fmt.Sprintf("%s/%s was %s and became %q", parent.GetName(), name, result, phases[name]))
		}
	}
	for name, phase := range phases {
		if phase == v1alpha1.PhaseSucceeded || phase == v1alpha1.PhaseFailed {
			results[name] = phase
		}
	}
}

// changedOf tells of the results of a JobFlow or DaemonJob that did not stay.
func (h *history) changedOf(parent client.Object) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var changed []string
	for _, change := range h.changed {
		if strings.HasPrefix(change, parent.GetName()+"/") {
			changed = append(changed, change)
		}
	}
	return changed
}

// jobsOf are the Jobs of a JobFlow or DaemonJob by the name of the step or node.
func (h *history) jobsOf(parent client.Object) map[string][]*batchv1.Job {
	jobs := map[string][]*batchv1.Job{}
	for _, job := range h.Jobs() {
		if metav1.IsControlledBy(job, parent) {
			run := job.Annotations[v1alpha1.RunAnnotation]
			jobs[run] = append(jobs[run], job.Job)
		}
	}
	return jobs
}

// firstJobAfter is when the first Job appeared after a moment, or zero.
func (h *history) firstJobAfter(moment time.Time) time.Time {
	for _, job := range h.Jobs() {
		if job.Seen.After(moment) {
			return job.Seen
		}
	}
	return time.Time{}
}

// leaderAfter is who first became the leader after a moment, or nobody.
func (h *history) leaderAfter(moment time.Time) leaseChange {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, change := range h.leases {
		if change.at.After(moment) {
			return change
		}
	}
	return leaseChange{}
}

// renewedAfter is when a leader first showed that it lives after a moment, or zero.
func (h *history) renewedAfter(moment time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, renewed := range h.renewals {
		if renewed.After(moment) {
			return renewed
		}
	}
	return time.Time{}
}
