package plan

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// Created enters a Job that was created, or found to exist already, for a run.
func (p *Plan) Created(run int, job *batchv1.Job) {
	entry := &p.Runs[run]
	p.Runs[run] = fromJob(entry.Name, entry, jobs.Observe(job, nil))
}

// Held enters that the Job of a run could not be created now and is tried again.
func (p *Plan) Held(run int, reason, message string) {
	wait(&p.Runs[run], reason, message)
}

// Rejected enters that the API server refuses the Job of a run for good.
func (p *Plan) Rejected(run int, message string, now time.Time) {
	entry := &p.Runs[run]
	at := metav1.NewTime(now)
	entry.CompletionTime = &at
	entry.Phase = v1alpha1.PhaseFailed
	entry.Reason = v1alpha1.ReasonJobRejected
	entry.Message = jobs.Clip(message)
}
