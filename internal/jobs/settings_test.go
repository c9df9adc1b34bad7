package jobs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestSettings(t *testing.T) {
	cases := map[string]struct {
		spec batchv1.JobSpec
		want string
	}{
		"none":                  {batchv1.JobSpec{}, ""},
		"parallelism":           {batchv1.JobSpec{Parallelism: ptr.To[int32](0)}, "parallelism=0"},
		"activeDeadlineSeconds": {batchv1.JobSpec{ActiveDeadlineSeconds: ptr.To[int64](1 << 40)}, "activeDeadlineSeconds=1099511627776"},
		"all": {
			batchv1.JobSpec{
				Parallelism:             ptr.To[int32](2),
				ActiveDeadlineSeconds:   ptr.To[int64](30),
				BackoffLimit:            ptr.To[int32](0),
				TTLSecondsAfterFinished: ptr.To[int32](60),
			},
			"parallelism=2,activeDeadlineSeconds=30,backoffLimit=0,ttlSecondsAfterFinished=60",
		},
		"others do not count": {batchv1.JobSpec{Suspend: new(true), Completions: ptr.To[int32](3)}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Settings(&c.spec); got != c.want {
				t.Errorf("Settings() = %q, want %q", got, c.want)
			}
		})
	}
}

func TestApplySettings(t *testing.T) {
	all := batchv1.JobSpec{
		Parallelism:             ptr.To[int32](2),
		ActiveDeadlineSeconds:   ptr.To[int64](30),
		BackoffLimit:            ptr.To[int32](4),
		TTLSecondsAfterFinished: ptr.To[int32](60),
	}
	const allLine = "parallelism=2,activeDeadlineSeconds=30,backoffLimit=4,ttlSecondsAfterFinished=60"
	job := func(spec batchv1.JobSpec, annotations map[string]string) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Annotations: annotations}, Spec: spec}
	}
	annotated := func(settings, ttl string) map[string]string {
		a := map[string]string{v1alpha1.SettingsAnnotation: settings}
		if ttl != "" {
			a[v1alpha1.TTLAnnotation] = ttl
		}
		return a
	}
	held := all // as on a Job: the TTL is in the annotation
	held.TTLSecondsAfterFinished = nil

	cases := map[string]struct {
		job  *batchv1.Job
		spec batchv1.JobSpec
		want *batchv1.Job
	}{
		"all are set": {
			job:  job(batchv1.JobSpec{Parallelism: ptr.To[int32](1), BackoffLimit: ptr.To[int32](0)}, annotated("", "")),
			spec: all,
			want: job(held, annotated(allLine, "60")),
		},
		"all are removed": {
			job:  job(held, annotated(allLine, "60")),
			spec: batchv1.JobSpec{},
			want: job(batchv1.JobSpec{Parallelism: ptr.To[int32](1), BackoffLimit: ptr.To[int32](0)}, annotated("", "")),
		},
		"backoffLimit is removed, per index": {
			job:  job(batchv1.JobSpec{BackoffLimit: ptr.To[int32](4)}, annotated("backoffLimit=4", "")),
			spec: batchv1.JobSpec{BackoffLimitPerIndex: ptr.To[int32](1)},
			want: job(batchv1.JobSpec{}, annotated("", "")),
		},
		"no annotations on the Job": {
			job:  job(batchv1.JobSpec{}, nil),
			spec: all,
			want: job(held, annotated(allLine, "60")),
		},
		"what others changed and we did not is left alone": {
			job: job(batchv1.JobSpec{Parallelism: ptr.To[int32](1), ActiveDeadlineSeconds: ptr.To[int64](5), BackoffLimit: ptr.To[int32](9)},
				annotated("parallelism=2,activeDeadlineSeconds=5,backoffLimit=4,ttlSecondsAfterFinished=60", "77")),
			spec: all,
			want: job(batchv1.JobSpec{Parallelism: ptr.To[int32](1), ActiveDeadlineSeconds: ptr.To[int64](30), BackoffLimit: ptr.To[int32](9)},
				annotated(allLine, "77")),
		},
		"a deadline that others set and we did not is left alone": {
			job:  job(batchv1.JobSpec{ActiveDeadlineSeconds: ptr.To[int64](5)}, annotated("", "")),
			spec: batchv1.JobSpec{BackoffLimit: ptr.To[int32](1)},
			want: job(batchv1.JobSpec{ActiveDeadlineSeconds: ptr.To[int64](5), BackoffLimit: ptr.To[int32](1)}, annotated("backoffLimit=1", "")),
		},
		"the rest of the Job is left alone": {
			job:  job(batchv1.JobSpec{Suspend: new(true), Completions: ptr.To[int32](3)}, map[string]string{"other": "x"}),
			spec: batchv1.JobSpec{Completions: ptr.To[int32](7), ActiveDeadlineSeconds: ptr.To[int64](5)},
			want: job(batchv1.JobSpec{Suspend: new(true), Completions: ptr.To[int32](3), ActiveDeadlineSeconds: ptr.To[int64](5)},
				map[string]string{"other": "x", v1alpha1.SettingsAnnotation: "activeDeadlineSeconds=5"}),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			before := c.spec.DeepCopy()
			ApplySettings(c.job, &c.spec)
			if diff := cmp.Diff(c.want, c.job); diff != "" {
				t.Errorf("Job (-want +got):\n%s", diff)
			}
			for _, p := range []*int32{c.job.Spec.Parallelism, c.job.Spec.BackoffLimit} {
				if p != nil {
					*p = 1000
				}
			}
			if p := c.job.Spec.ActiveDeadlineSeconds; p != nil {
				*p = 1000
			}
			if diff := cmp.Diff(before, &c.spec); diff != "" {
				t.Errorf("the Job shares values with the spec (-before +after):\n%s", diff)
			}
		})
	}
}

func TestApplySettingsToAJobThatIsUpToDate(t *testing.T) {
	dj := newDaemonJob(template(func(s *batchv1.JobSpec) { s.TTLSecondsAfterFinished = ptr.To[int32](60) }))
	job := ForNode(dj, "node1")
	before := job.DeepCopy()

	ApplySettings(job, &dj.Spec.JobSpec)

	if diff := cmp.Diff(before, job); diff != "" {
		t.Errorf("Job was changed (-before +after):\n%s", diff)
	}
}

func TestTTL(t *testing.T) {
	cases := map[string]struct {
		annotations map[string]string
		want        int32
		ok          bool
	}{
		"no annotation": {nil, 0, false},
		"set":           {map[string]string{v1alpha1.TTLAnnotation: "60"}, 60, true},
		"zero":          {map[string]string{v1alpha1.TTLAnnotation: "0"}, 0, true},
		"negative":      {map[string]string{v1alpha1.TTLAnnotation: "-1"}, 0, false},
		"no number":     {map[string]string{v1alpha1.TTLAnnotation: "soon"}, 0, false},
		"too large":     {map[string]string{v1alpha1.TTLAnnotation: "2147483648"}, 0, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := TTL(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations}})
			if got != c.want || ok != c.ok {
				t.Errorf("TTL() = %d, %v, want %d, %v", got, ok, c.want, c.ok)
			}
		})
	}
}
