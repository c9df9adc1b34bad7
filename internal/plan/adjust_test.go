package plan_test

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestTTLOfJobsIsHeldUntilTheResultIsRecorded(t *testing.T) {
	held := func() jobBuilder { return job("a").annotated(v1alpha1.TTLAnnotation, "5") }
	release := []string{"p-a: ttl=5 -ttl-seconds-after-finished"}
	checkFlows(t, map[string]flowCase{
		"running": {
			flow: newFlow("a").recorded(run("a").running()),
			seen: seen(held()),
			want: outcome{Runs: []string{"a Running"}},
		},
		"ended, and not recorded": {
			flow: newFlow("a").recorded(run("a").running()),
			seen: seen(held().complete()),
			want: outcome{Runs: []string{"a Succeeded"}},
		},
		"recorded as Succeeded": {
			flow: newFlow("a", "b").recorded(run("a").succeeded(), run("b").running()),
			seen: seen(held().complete(), job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running"}, Update: release},
		},
		"recorded as Failed": {
			flow: newFlow("a", "b").recorded(run("a").failed("X"), run("b").running()),
			seen: seen(held().failed(), job("b")),
			want: outcome{Runs: []string{"a Failed X", "b Running"}, Update: release},
		},
		"recorded, and the flow has ended": {
			flow: newFlow("a").ended(v1alpha1.ConditionComplete, time.Second).recorded(run("a").succeeded()),
			seen: seen(held().complete()),
			want: outcome{Runs: []string{"a Succeeded"}, Update: release, Ended: true},
		},
		"recorded, and the flow is suspended": {
			flow: newFlow("a", "b").suspend().recorded(run("a").succeeded()),
			seen: seen(held().complete()),
			want: outcome{Runs: []string{"a Succeeded", "b " + waitsForResume}, Update: release, Suspended: true},
		},
		"released already": {
			flow: newFlow("a", "b").recorded(run("a").succeeded(), run("b").running()),
			seen: seen(job("a").complete().with(func(j *batchv1.Job) { j.Spec.TTLSecondsAfterFinished = new(int32(5)) }), job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running"}},
		},
		"being deleted": {
			flow: newFlow("a", "b").recorded(run("a").succeeded(), run("b").running()),
			seen: seen(held().complete().deleting(), job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running"}},
		},
	})
}

func TestMutableSettingsOfADaemonJob(t *testing.T) {
	settled := func(settings string) jobBuilder { return job("n1").annotated(v1alpha1.SettingsAnnotation, settings) }
	checkDaemons(t, map[string]daemonCase{
		"as they were": {
			dj:   newDaemon().with(func(s *batchv1.JobSpec) { s.BackoffLimit = new(int32(3)) }).recorded(run("n1").running()),
			seen: seen(settled("backoffLimit=3")).on("n1"),
			want: outcome{Runs: []string{"n1 Running"}},
		},
		"all changed": {
			dj: newDaemon().with(func(s *batchv1.JobSpec) {
				s.Parallelism, s.ActiveDeadlineSeconds = new(int32(2)), new(int64(60))
				s.BackoffLimit, s.TTLSecondsAfterFinished = new(int32(3)), new(int32(5))
			}).recorded(run("n1").running()),
			seen: seen(settled("")).on("n1"),
			want: outcome{Runs: []string{"n1 Running"}, Update: []string{
				"p-n1: parallelism=2 activeDeadlineSeconds=60 backoffLimit=3 " +
					"+settings=parallelism=2,activeDeadlineSeconds=60,backoffLimit=3,ttlSecondsAfterFinished=5 +ttl-seconds-after-finished=5",
			}},
		},
		"one changed: what a queue changed is left alone": {
			dj: newDaemon().with(func(s *batchv1.JobSpec) {
				s.Parallelism, s.ActiveDeadlineSeconds = new(int32(4)), new(int64(60))
			}).recorded(run("n1").running()),
			seen: seen(settled("parallelism=4").with(func(j *batchv1.Job) { j.Spec.Parallelism = new(int32(1)) })).on("n1"),
			want: outcome{Runs: []string{"n1 Running"}, Update: []string{
				"p-n1: activeDeadlineSeconds=60 +settings=parallelism=4,activeDeadlineSeconds=60",
			}},
		},
		"changed and suspended at once: one update": {
			dj: newDaemon().with(func(s *batchv1.JobSpec) { s.BackoffLimit = new(int32(3)) }).suspend().
				recorded(run("n1").running()),
			seen: seen(settled("")).on("n1"),
			want: outcome{Runs: []string{"n1 Running"}, Suspended: true, Update: []string{
				"p-n1: suspend=true backoffLimit=3 +settings=backoffLimit=3 +suspended-by-parent=true",
			}},
		},
		"the TTL is changed in the moment of its release: the new one counts": {
			dj: newDaemon().with(func(s *batchv1.JobSpec) { s.TTLSecondsAfterFinished = new(int32(7)) }).
				recorded(run("n1").succeeded(), run("n2").running()),
			seen: seen(settled("ttlSecondsAfterFinished=100").annotated(v1alpha1.TTLAnnotation, "100").complete()).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Succeeded", "n2 Running"}, Update: []string{
				"p-n1: ttl=7 +settings=ttlSecondsAfterFinished=7 -ttl-seconds-after-finished",
			}},
		},
		"the TTL is changed after its release": {
			dj: newDaemon().with(func(s *batchv1.JobSpec) { s.TTLSecondsAfterFinished = new(int32(7)) }).
				recorded(run("n1").succeeded(), run("n2").running()),
			seen: seen(settled("ttlSecondsAfterFinished=100").complete().
				with(func(j *batchv1.Job) { j.Spec.TTLSecondsAfterFinished = new(int32(100)) })).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Succeeded", "n2 Running"}, Update: []string{
				"p-n1: ttl=7 +settings=ttlSecondsAfterFinished=7",
			}},
		},
		"the TTL is taken back after its release": {
			dj: newDaemon().recorded(run("n1").succeeded(), run("n2").running()),
			seen: seen(settled("ttlSecondsAfterFinished=100").complete().
				with(func(j *batchv1.Job) { j.Spec.TTLSecondsAfterFinished = new(int32(100)) }),
				job("n2").annotated(v1alpha1.SettingsAnnotation, "")).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Succeeded", "n2 Running"}, Update: []string{
				"p-n1: ttl=nil +settings=",
			}},
		},
		"another setting is changed after the Job has ended: nothing to carry over": {
			dj: newDaemon().with(func(s *batchv1.JobSpec) { s.BackoffLimit = new(int32(3)) }).
				recorded(run("n1").succeeded(), run("n2").running()),
			seen: seen(settled("").complete(), job("n2").annotated(v1alpha1.SettingsAnnotation, "backoffLimit=3")).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Succeeded", "n2 Running"}},
		},
	})
}
