package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// simulated is a cluster's Jobs of one parent, by step or node.
type simulated struct {
	now     time.Time
	jobs    map[string]*batchv1.Job
	created map[string]int
	// results are what became of the Jobs, whether anybody saw it or not.
	results map[string]v1alpha1.Phase
	// mayCreate reports whether a step or node without a Job may get one.
	mayCreate func(run string) bool
}

func newSimulated() *simulated {
	s := &simulated{now: now, jobs: map[string]*batchv1.Job{}, created: map[string]int{}, results: map[string]v1alpha1.Phase{}}
	s.mayCreate = func(run string) bool { return s.created[run] == 0 }
	return s
}

func (s *simulated) observe(recorded []v1alpha1.RunStatus) plan.Observed {
	o := plan.Observed{Jobs: map[string]jobs.State{}, Gone: map[string]bool{}}
	for name, job := range s.jobs {
		o.Jobs[name] = jobs.Observe(job, nil)
	}
	for i := range recorded {
		job := s.jobs[recorded[i].Name]
		if plan.Active(&recorded[i]) && (job == nil || string(job.UID) != recorded[i].JobUID) {
			o.Gone[recorded[i].Name] = true
		}
	}
	return o
}

// apply does the first writes of a plan, and reports whether the process lived to do
// them all and to write the status.
func (s *simulated) apply(t *rapid.T, p *plan.Plan, writes int) (alive bool) {
	die := func() bool {
		writes--
		return writes == -1
	}
	for _, change := range p.Update {
		if die() {
			return false
		}
		run := change.To.Annotations[v1alpha1.RunAnnotation]
		if _, ours := change.From.Annotations[v1alpha1.SuspendedAnnotation]; isSuspended(change.From) && !isSuspended(change.To) && !ours {
			t.Fatalf("the Job of %s is resumed, but a queue holds it", run)
		}
		s.jobs[run] = change.To
	}
	for _, doomed := range p.Delete {
		if die() {
			return false
		}
		s.replace(doomed.Annotations[v1alpha1.RunAnnotation], func(job *batchv1.Job) {
			job.DeletionTimestamp = new(metav1.NewTime(s.now))
		})
	}
	for _, creation := range p.Create {
		if die() {
			return false
		}
		run := p.Runs[creation.Run].Name
		if s.jobs[run] != nil || !s.mayCreate(run) {
			t.Fatalf("the Job of %s is created again", run)
		}
		s.create(run, creation.Job)
		p.RecordCreated(creation.Run, s.jobs[run])
	}
	return !die()
}

func (s *simulated) create(run string, job *batchv1.Job) {
	s.created[run]++
	job.UID = types.UID(fmt.Sprintf("uid-%s-%d", run, s.created[run]))
	job.CreationTimestamp = metav1.NewTime(s.now)
	s.jobs[run] = job
}

func isSuspended(job *batchv1.Job) bool { return job.Spec.Suspend != nil && *job.Spec.Suspend }

// open are the steps or nodes whose Jobs have not ended, runnable those of them
// that are not suspended.
func (s *simulated) open() []string {
	return s.those(func(job *batchv1.Job) bool { return len(job.Status.Conditions) == 0 && job.DeletionTimestamp == nil })
}

func (s *simulated) runnable() []string {
	return s.those(func(job *batchv1.Job) bool {
		return len(job.Status.Conditions) == 0 && job.DeletionTimestamp == nil && !isSuspended(job)
	})
}

// those are the names of the Jobs of a kind, in an order that repeats.
func (s *simulated) those(are func(job *batchv1.Job) bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.jobs)) {
		if are(s.jobs[name]) {
			names = append(names, name)
		}
	}
	return names
}

// replace changes a Job as the API server does: who has read it keeps the old one.
func (s *simulated) replace(name string, change func(job *batchv1.Job)) {
	s.jobs[name] = s.jobs[name].DeepCopy()
	change(s.jobs[name])
}

func (s *simulated) end(name string, phase v1alpha1.Phase) {
	kind := batchv1.JobComplete
	if phase == v1alpha1.PhaseFailed {
		kind = batchv1.JobFailed
	}
	s.now = s.now.Add(time.Second)
	s.replace(name, func(job *batchv1.Job) {
		job.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(s.now)}}
	})
	s.results[name] = phase
}

// queue holds a Job as a queue does, or lets it go.
func (s *simulated) queue(name string) {
	if _, ours := s.jobs[name].Annotations[v1alpha1.SuspendedAnnotation]; ours {
		return
	}
	s.replace(name, func(job *batchv1.Job) { job.Spec.Suspend = new(!isSuspended(job)) })
}

// collect deletes the Jobs that have a TTL and have ended.
func (s *simulated) collect() {
	for _, name := range s.those(func(job *batchv1.Job) bool {
		return len(job.Status.Conditions) > 0 && job.Spec.TTLSecondsAfterFinished != nil
	}) {
		delete(s.jobs, name)
	}
}

// finishDeletions takes away the Jobs that are being deleted.
func (s *simulated) finishDeletions() {
	for _, name := range s.those(func(job *batchv1.Job) bool { return job.DeletionTimestamp != nil }) {
		delete(s.jobs, name)
	}
}

// checkLatched holds that a result never changes.
func (s *simulated) checkLatched(t *rapid.T, before, after []v1alpha1.RunStatus) {
	for i := range before {
		if !plan.Final(before[i].Phase) {
			continue
		}
		for j := range after {
			if after[j].Name == before[i].Name {
				if diff := cmp.Diff(before[i], after[j]); diff != "" {
					t.Fatalf("a result changes:\n%s", diff)
				}
			}
		}
	}
}
