package plan

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// Final reports whether a phase is a result, which never changes again.
func Final(phase v1alpha1.Phase) bool {
	return phase == v1alpha1.PhaseSucceeded || phase == v1alpha1.PhaseFailed
}

// Active reports whether a step or node has a Job that has not ended and that need not be
// deleted because its node left.
func Active(run *v1alpha1.RunStatus) bool {
	return run.JobUID != "" && run.Reason != v1alpha1.ReasonNodeGone &&
		(run.Phase == v1alpha1.PhaseRunning || run.Phase == v1alpha1.PhaseWaiting)
}

func indexByName(runs []v1alpha1.RunStatus) map[string]*v1alpha1.RunStatus {
	index := make(map[string]*v1alpha1.RunStatus, len(runs))
	for i := range runs {
		index[runs[i].Name] = &runs[i]
	}
	return index
}

// makeEntry makes the entry of one step or node from its record and its Job alone. A
// recorded result stands, whatever happened to the Job since. A Job that vanished before
// its end may have done all of its work or half of it, so that is a failure, and never a
// reason to run it again. An entry without a Job is Waiting; the rules decide what for.
func (o Observed) makeEntry(name string, recorded *v1alpha1.RunStatus, now time.Time) v1alpha1.RunStatus {
	if recorded != nil && Final(recorded.Phase) {
		return *recorded
	}
	job, exists := o.Jobs[name]
	if recorded != nil && Active(recorded) {
		replaced := exists && string(job.UID) != recorded.JobUID
		switch {
		case o.Gone[name], replaced:
			return failDeleted(*recorded, now)
		case !exists:
			return *recorded // a Job counts as gone only after a live read
		}
	}
	if exists {
		return makeEntryFromJob(name, recorded, job)
	}
	entry := v1alpha1.RunStatus{Name: name, Phase: v1alpha1.PhaseWaiting}
	if recorded != nil {
		entry.Attempt = recorded.Attempt
		if recorded.Reason == v1alpha1.ReasonCreateFailed {
			// It stays until this pass has another result.
			entry.Reason, entry.Message = recorded.Reason, recorded.Message
		}
	}
	return entry
}

func failDeleted(entry v1alpha1.RunStatus, now time.Time) v1alpha1.RunStatus {
	at := metav1.NewTime(now)
	entry.Phase = v1alpha1.PhaseFailed
	entry.Reason = v1alpha1.ReasonJobDeleted
	entry.Message = jobs.Clip(fmt.Sprintf("Job %s was deleted before it had ended", entry.JobName))
	entry.CompletionTime = &at
	return entry
}

func makeEntryFromJob(name string, recorded *v1alpha1.RunStatus, job jobs.State) v1alpha1.RunStatus {
	started := job.StartTime
	entry := v1alpha1.RunStatus{
		Name:           name,
		Phase:          job.Phase,
		Reason:         job.Reason,
		Message:        job.Message,
		JobName:        job.Name,
		JobUID:         string(job.UID),
		StartTime:      &started,
		CompletionTime: job.CompletionTime,
		Attempt:        1,
	}
	if recorded != nil {
		entry.Attempt = recorded.Attempt
		if recorded.JobUID != entry.JobUID {
			entry.Attempt++
		}
	}
	return entry
}
