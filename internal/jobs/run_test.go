package jobs

import (
	"maps"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestNamesOfAttempts(t *testing.T) {
	long := strings.Repeat("a", 59)
	cases := map[string]struct {
		parent string
		run    Run
		spec   *batchv1.JobSpec
		want   string
	}{
		"first":             {"flow", Run{"step", 1}, nil, "flow-step"},
		"second":            {"flow", Run{"step", 2}, nil, "flow-step-r2"},
		"a large number":    {"flow", Run{"step", 9999}, nil, "flow-step-r9999"},
		"first, truncated":  {long, Run{"step", 1}, nil, Name(long, "step", nil)},
		"60 and 3":          {long[:55], Run{"step", 2}, nil, long[:55] + "-step-r2"},
		"61 and 3":          {long[:56], Run{"step", 2}, nil, fitName(long[:56], "step", nil, 60) + "-r2"},
		"second, truncated": {long, Run{"step", 2}, nil, fitName(long, "step", nil, 60) + "-r2"},
		"second, Indexed":   {long, Run{"step", 2}, indexed(11), fitName(long, "step", indexed(11), 60) + "-r2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := c.run.jobName(c.parent, c.spec)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if suffix, _ := hostnameSuffix(c.spec); len(got)+len(suffix) > maxLength {
				t.Errorf("%q has %d characters", got, len(got))
			}
		})
	}
}

func TestWhatAJobIsFor(t *testing.T) {
	for name, c := range map[string]struct {
		run         Run
		labels      map[string]string
		annotations map[string]string
	}{
		"a first attempt":  {Run{"step", 1}, map[string]string{}, map[string]string{v1alpha1.RunAnnotation: "step"}},
		"a second attempt": {Run{"step", 2}, map[string]string{attemptKey: "2"}, map[string]string{v1alpha1.RunAnnotation: "step", attemptKey: "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			job := &batchv1.Job{}
			job.Labels, job.Annotations = map[string]string{}, map[string]string{}
			c.run.mark(job.Labels, job.Annotations)
			if !maps.Equal(job.Labels, c.labels) || !maps.Equal(job.Annotations, c.annotations) {
				t.Errorf("labels %v, annotations %v", job.Labels, job.Annotations)
			}
			if got := FindRun(job); got != c.run {
				t.Errorf("the Job is for %+v", got)
			}
		})
	}
	damaged := &batchv1.Job{}
	damaged.Annotations = map[string]string{v1alpha1.RunAnnotation: "step", attemptKey: "x"}
	if got := FindRun(damaged); got != (Run{"step", 1}) {
		t.Errorf("a Job with a damaged attempt is for %+v", got)
	}
}
