package plan

import (
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// adjust brings a Job that exists in line with its parent. recorded means that its result
// is in status. settings is the DaemonJob's spec, or nil for a step: the Job of a step
// does not follow its template after its creation.
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

	_, suspendedByParent := job.Job.Annotations[v1alpha1.SuspendedAnnotation]
	switch {
	case Final(job.Phase):
		if recorded {
			release(job.Job, settings, edit)
		}
	case p.Expired:
		p.end(job, edit)
	default:
		if outdated(job.Job, settings) {
			jobs.ApplySettings(edit(), settings)
		}
		if p.Suspended && !job.Suspended {
			edit().Spec.Suspend = new(true)
			annotate(to, v1alpha1.SuspendedAnnotation, "true")
		} else if !p.Suspended && suspendedByParent {
			edit().Spec.Suspend = new(false)
			delete(to.Annotations, v1alpha1.SuspendedAnnotation)
		}
	}
	if to != job.Job {
		p.Update = append(p.Update, Change{From: job.Job, To: to})
	}
}

// outdated reports whether the DaemonJob's settings have changed since they were last
// applied to the Job.
func outdated(job *batchv1.Job, settings *batchv1.JobSpec) bool {
	return settings != nil && job.Annotations[v1alpha1.SettingsAnnotation] != jobs.Settings(settings)
}

// release lets the TTL controller delete a Job whose result is recorded. Of a DaemonJob's
// settings, only the TTL still matters to such a Job.
func release(job *batchv1.Job, settings *batchv1.JobSpec, edit func() *batchv1.Job) {
	ttl := job.Spec.TTLSecondsAfterFinished
	seconds, held := jobs.TTL(job)
	if held {
		ttl = &seconds
	}
	changed := outdated(job, settings) && !ptr.Equal(ttl, settings.TTLSecondsAfterFinished)
	if changed {
		ttl = settings.TTLSecondsAfterFinished
	}
	if !held && !changed {
		return
	}
	to := edit()
	to.Spec.TTLSecondsAfterFinished = nil
	if ttl != nil {
		to.Spec.TTLSecondsAfterFinished = new(*ttl)
	}
	delete(to.Annotations, v1alpha1.TTLAnnotation)
	if changed {
		annotate(to, v1alpha1.SettingsAnnotation, jobs.Settings(settings))
	}
}

// end stops a Job because the parent's deadline has passed, by giving it a deadline that
// has passed too. The Job controller then ends its pods and marks it Failed with
// DeadlineExceeded, and the Job, its pods and their logs can still be inspected. The clock
// of a suspended Job does not run, so such a Job can only be deleted.
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
