package plan

import (
	batchv1 "k8s.io/api/batch/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// adjust brings a Job that exists in line with its parent. recorded says that its
// result is in status. settings is the DaemonJob's spec, nil for a step: a step's
// Job never changes after its creation in any other way.
func (p *Plan) adjust(job jobs.State, recorded bool, settings *batchv1.JobSpec) {
	if job.Deleting {
		return
	}
	to := job.Job
	edit := func() *batchv1.Job {
		if to == job.Job {
			to = job.Job.DeepCopy()
		}
		return to
	}

	if settings != nil && job.Job.Annotations[v1alpha1.SettingsAnnotation] != jobs.Settings(settings) {
		jobs.ApplySettings(edit(), settings)
	}
	ended := Final(job.Phase)
	_, ours := job.Job.Annotations[v1alpha1.SuspendedAnnotation]
	switch {
	case ended:
		if recorded {
			release(to, edit)
		}
	case p.Expired:
		p.end(job, edit)
	case p.Suspended && !job.Suspended:
		edit().Spec.Suspend = new(true)
		annotate(to, v1alpha1.SuspendedAnnotation, "true")
	case !p.Suspended && ours:
		edit().Spec.Suspend = new(false)
		delete(to.Annotations, v1alpha1.SuspendedAnnotation)
	}
	if to != job.Job {
		p.Update = append(p.Update, Change{From: job.Job, To: to})
	}
}

// release lets the TTL controller take a Job whose result is recorded. job is the
// Job with the changes so far: its TTL may be one of them.
func release(job *batchv1.Job, edit func() *batchv1.Job) {
	if ttl, held := jobs.TTL(job); held {
		to := edit()
		to.Spec.TTLSecondsAfterFinished = &ttl
		delete(to.Annotations, v1alpha1.TTLAnnotation)
	}
}

// end stops a Job for the parent's deadline by a deadline of its own, already
// passed: the Job controller then ends its pods and marks it Failed with
// DeadlineExceeded, and Job, pods and logs stay to be looked at. A suspended Job
// has no running clock, so only deleting it ends it.
func (p *Plan) end(job jobs.State, edit func() *batchv1.Job) {
	if job.Suspended {
		p.Delete = append(p.Delete, job.Job)
		return
	}
	if _, done := job.Job.Annotations[v1alpha1.DeadlineAnnotation]; !done {
		to := edit()
		to.Spec.ActiveDeadlineSeconds = new(int64(1))
		annotate(to, v1alpha1.DeadlineAnnotation, "true")
	}
}

func annotate(job *batchv1.Job, key, value string) {
	if job.Annotations == nil {
		job.Annotations = map[string]string{}
	}
	job.Annotations[key] = value
}
