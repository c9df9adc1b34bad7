package jobs

import (
	"strconv"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Run identifies what a Job is for: a step or node, and the attempt of the JobFlow in which
// the step runs. The Jobs of a node are all of the first attempt: a second one is created
// only when the one before is gone, and gets its name.
type Run struct {
	Name    string
	Attempt int32
}

// attemptKey is the label and annotation for attempts after the first.
const attemptKey = "api.practice.com/attempt"

// FindRun reads from its annotations what a Job is for.
func FindRun(job *batchv1.Job) Run {
	run := Run{Name: job.Annotations[v1alpha1.RunAnnotation], Attempt: 1}
	if attempt, err := strconv.ParseInt(job.Annotations[attemptKey], 10, 32); err == nil {
		run.Attempt = int32(attempt)
	}
	return run
}

// mark sets the label of a Job of a later attempt, and the annotations that FindRun reads.
func (r Run) mark(labels, annotations map[string]string) {
	annotations[v1alpha1.RunAnnotation] = r.Name
	if r.Attempt > 1 {
		attempt := strconv.Itoa(int(r.Attempt))
		labels[attemptKey], annotations[attemptKey] = attempt, attempt
	}
}
