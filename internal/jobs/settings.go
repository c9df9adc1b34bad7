package jobs

import (
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// The settings of a DaemonJob that may change after its Jobs were created, by their names in
// a JobSpec. spec.suspend has an annotation of its own, since a queue may suspend a Job
// too.
const (
	parallelismSetting  = "parallelism"
	deadlineSetting     = "activeDeadlineSeconds"
	backoffLimitSetting = "backoffLimit"
	ttlSetting          = "ttlSecondsAfterFinished"
)

// Settings returns the mutable settings that the spec sets, in one line. Equal settings give
// equal lines.
func Settings(spec *batchv1.JobSpec) string {
	var parts []string
	add := func(name string, value int64) {
		parts = append(parts, name+"="+strconv.FormatInt(value, 10))
	}
	if spec.Parallelism != nil {
		add(parallelismSetting, int64(*spec.Parallelism))
	}
	if spec.ActiveDeadlineSeconds != nil {
		add(deadlineSetting, *spec.ActiveDeadlineSeconds)
	}
	if spec.BackoffLimit != nil {
		add(backoffLimitSetting, int64(*spec.BackoffLimit))
	}
	if spec.TTLSecondsAfterFinished != nil {
		add(ttlSetting, int64(*spec.TTLSecondsAfterFinished))
	}
	return strings.Join(parts, ",")
}

// ApplySettings applies the settings of the spec to an existing Job that has not ended. A
// setting that has not changed since it was last applied is not touched: a queue may have
// lowered the parallelism, and raising the deadline must not undo that.
func ApplySettings(job *batchv1.Job, spec *batchv1.JobSpec) {
	settings := Settings(spec)
	before, after := parseSettings(job.Annotations[v1alpha1.SettingsAnnotation]), parseSettings(settings)
	changed := func(name string) bool { return before[name] != after[name] }

	if changed(parallelismSetting) {
		// Not nil: if completions is unset too, the API server would then default both to
		// 1, and completions is immutable.
		job.Spec.Parallelism = new(ptr.Deref(spec.Parallelism, 1))
	}
	if changed(deadlineSetting) {
		job.Spec.ActiveDeadlineSeconds = clone(spec.ActiveDeadlineSeconds)
	}
	if changed(backoffLimitSetting) {
		job.Spec.BackoffLimit = clone(backoffLimit(spec))
	}
	if job.Annotations == nil {
		job.Annotations = map[string]string{}
	}
	if changed(ttlSetting) {
		holdTTL(job.Annotations, spec.TTLSecondsAfterFinished)
	}
	job.Annotations[v1alpha1.SettingsAnnotation] = settings
}

// clone copies a value, so that the Job does not share it with the spec.
func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

func parseSettings(settings string) map[string]string {
	parsed := map[string]string{}
	for part := range strings.SplitSeq(settings, ",") {
		if name, value, ok := strings.Cut(part, "="); ok {
			parsed[name] = value
		}
	}
	return parsed
}

// TTL returns the ttlSecondsAfterFinished that the Job gets once its result is recorded in
// status, and whether there is one.
func TTL(job *batchv1.Job) (int32, bool) {
	seconds, err := strconv.ParseInt(job.Annotations[v1alpha1.TTLAnnotation], 10, 32)
	if err != nil || seconds < 0 {
		return 0, false
	}
	return int32(seconds), true
}

// holdTTL keeps the TTL in the annotations of a Job rather than in its spec. In the spec it
// could delete the Job before its result is recorded, and the operator could not distinguish
// a deleted Job from one that never ran.
func holdTTL(annotations map[string]string, ttl *int32) {
	if ttl == nil {
		delete(annotations, v1alpha1.TTLAnnotation)
		return
	}
	annotations[v1alpha1.TTLAnnotation] = strconv.Itoa(int(*ttl))
}
