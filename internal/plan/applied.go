package plan

import (
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// FirstBatch returns how many Jobs to create in parallel at first; the size then doubles
// up to MaxBatch. A parent without Jobs begins with one, as the Job controller does with
// pods: if that is refused, for a quota for example, the hundreds of others are not tried
// at all.
func (p *Plan) FirstBatch(now time.Time) int {
	hasJob := func(run v1alpha1.RunStatus) bool { return run.JobUID != "" }
	if slices.ContainsFunc(p.Runs, hasJob) && !p.failures.refusedRecently(now) {
		return MaxBatch
	}
	return 1
}

// RecordCreated records a Job that was created, or found to exist already, for a run.
func (p *Plan) RecordCreated(run int, job *batchv1.Job) {
	entry := &p.Runs[run]
	p.Runs[run] = makeEntryFromJob(entry.Name, entry, jobs.Observe(job, nil))
}

// RecordFailure records that the Job of a run could not be created now, and when it is
// retried.
func (p *Plan) RecordFailure(run int, failure CreateFailure, now time.Time) {
	if reason, message := p.failures.Record(p.Runs[run].Name, failure, now); reason != "" {
		wait(reason, message).record(&p.Runs[run])
		p.WakeAfter(RetryAfter)
	}
}

// RecordNotTried records that the Job of a run was not tried after another was refused.
// Its own last failure, if it is still recorded, is a better explanation, except if an edit
// of the JobTemplate may have fixed it.
func (p *Plan) RecordNotTried(run int, refused string) {
	name := p.Runs[run].Name
	last, found := p.failures.byRun[name]
	if found && createFailed(p.recorded[name]) && last.Reason != v1alpha1.ReasonInvalidJobTemplate {
		wait(last.Reason, last.Message).record(&p.Runs[run])
		return
	}
	notTried := wait(v1alpha1.ReasonCreateFailed, fmt.Sprintf("not tried, because the API server did not accept Job %s", refused))
	notTried.record(&p.Runs[run])
}

// RecordRejected records that the API server refuses the Job of a run for good.
func (p *Plan) RecordRejected(run int, message string, now time.Time) {
	entry := &p.Runs[run]
	at := metav1.NewTime(now)
	entry.CompletionTime = &at
	entry.Phase = v1alpha1.PhaseFailed
	entry.Reason = v1alpha1.ReasonJobRejected
	entry.Message = jobs.Clip(message)
}
