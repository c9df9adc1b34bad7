package cluster

import (
	"fmt"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// invariant is what holds for every JobFlow and DaemonJob that has ended, whatever
// happened on the way.
type invariant struct {
	name       string
	violations func(t *trial, w *workload) []string
}

var invariants = []invariant{
	{"it ends as it has to", wrongEnd},
	{"a result that was recorded stays", func(t *trial, w *workload) []string { return t.record.changedOf(w.parent) }},
	{"each Job is created once an attempt", createdAgain},
	{"each Job runs once", ranAgain},
	{"a step begins after those that it depends on", outOfOrder},
	{"every Job is one that status names", orphans},
}

func wrongEnd(_ *trial, w *workload) (wrong []string) {
	if got := flows.Summary(w.parent).State; got != w.state {
		wrong = append(wrong, fmt.Sprintf("it is %s, not %s: %s", got, w.state, flows.Summary(w.parent).Message))
	}
	runs := flows.Runs(w.parent)
	if want := numberOfRuns(w); len(runs) != want {
		wrong = append(wrong, fmt.Sprintf("it has %d steps or nodes, not %d", len(runs), want))
	}
	for i := range runs {
		want, special := w.phases[runs[i].Name]
		if !special {
			want = v1alpha1.PhaseSucceeded
		}
		if runs[i].Phase != want {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s: %s %s", runs[i].Name, runs[i].Phase, want, runs[i].Reason, runs[i].Message))
		}
		if want := w.attemptsOf(&runs[i]); int(runs[i].Attempt) != want {
			wrong = append(wrong, fmt.Sprintf("%s is attempt %d, not %d", runs[i].Name, runs[i].Attempt, want))
		}
	}
	return wrong
}

func numberOfRuns(w *workload) int {
	if flow, ok := w.parent.(*v1alpha1.JobFlow); ok {
		return len(flow.Spec.Flows)
	}
	return len(nodes)
}

// attemptsOf is how many Jobs a step or node has to have had: none when it was skipped
// before its turn, one when its node left.
func (w *workload) attemptsOf(run *v1alpha1.RunStatus) int {
	if attempts, special := w.attempts[run.Name]; special {
		return attempts
	}
	if w.phases[run.Name] == v1alpha1.PhaseSkipped && run.Reason != v1alpha1.ReasonNodeGone {
		return 0
	}
	return 1
}

func createdAgain(t *trial, w *workload) (wrong []string) {
	jobs := t.record.jobsOf(w.parent)
	for _, run := range flows.Runs(w.parent) {
		if got, want := len(jobs[run.Name]), w.attemptsOf(&run); got != want {
			wrong = append(wrong, fmt.Sprintf("%s had %d Jobs, not %d", run.Name, got, want))
		}
	}
	return wrong
}

// ranAgain asks the ledger. A pod that dies with its node is replaced by the Job
// controller, as the Job's backoffLimit says.
func ranAgain(t *trial, w *workload) (wrong []string) {
	jobs := t.record.jobsOf(w.parent)
	lines := t.ledger.linesOf(w.parent.GetName())
	for _, run := range flows.Runs(w.parent) {
		var known []string
		for _, job := range jobs[run.Name] {
			known = append(known, string(job.UID))
			begun, ended := count(lines, run.Name, string(job.UID))
			need := int(ptr.Deref(job.Spec.Completions, 1))
			if !t.podsDie && begun != need {
				wrong = append(wrong, fmt.Sprintf("%s: %d pods of Job %s did its work, not %d", run.Name, begun, job.Name, need))
			}
			if run.Phase == v1alpha1.PhaseSucceeded && string(job.UID) == run.JobUID && (ended < need || !t.podsDie && ended > need) {
				wrong = append(wrong, fmt.Sprintf("%s: %d pods of Job %s came to their end, not %d", run.Name, ended, job.Name, need))
			}
		}
		for _, line := range lines {
			if line.run == run.Name && !slices.Contains(known, line.job) {
				wrong = append(wrong, fmt.Sprintf("%s: pod %s did the work of a Job with the UID %s, which was not seen", run.Name, line.pod, line.job))
			}
		}
	}
	return wrong
}

func count(lines []line, run, job string) (begun, ended int) {
	for _, line := range lines {
		switch {
		case line.run != run || line.job != job:
		case line.ended:
			ended++
		default:
			begun++
		}
	}
	return begun, ended
}

// outOfOrder asks the ledger for work that began too early, and the Jobs' conditions
// for Jobs that were created before those that they wait for were Complete.
func outOfOrder(t *trial, w *workload) (wrong []string) {
	flow, ok := w.parent.(*v1alpha1.JobFlow)
	if !ok {
		return nil
	}
	jobs := t.record.jobsOf(flow)
	lines := t.ledger.linesOf(flow.Name)
	for i := range flow.Spec.Flows {
		step := &flow.Spec.Flows[i]
		begins := slices.IndexFunc(lines, func(l line) bool { return l.run == step.Name && !l.ended })
		for _, dependency := range step.Dependencies {
			for _, before := range jobs[dependency] {
				if begins >= 0 {
					_, ended := count(lines[:begins], dependency, string(before.UID))
					if need := int(ptr.Deref(before.Spec.Completions, 1)); ended < need {
						wrong = append(wrong, fmt.Sprintf("%s began when %d of %d pods of %s had ended", step.Name, ended, need, dependency))
					}
				}
				for _, job := range jobs[step.Name] {
					if flow.Spec.StartOn != v1alpha1.StartOnPodsSucceeded && !completeBy(before, job.CreationTimestamp) {
						wrong = append(wrong, fmt.Sprintf("Job %s was created at %s, and Job %s is %+v", job.Name, job.CreationTimestamp, before.Name, before.Status.Conditions))
					}
				}
			}
		}
	}
	return wrong
}

// completeBy compares times in whole seconds, as they are written.
func completeBy(job *batchv1.Job, moment metav1.Time) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue && !moment.Before(&c.LastTransitionTime)
	})
}

func orphans(t *trial, w *workload) (wrong []string) {
	named := sets.New[string]()
	for _, run := range flows.Runs(w.parent) {
		named.Insert(run.JobName)
	}
	jobs := t.record.jobsOf(w.parent)
	for _, run := range slices.Sorted(maps.Keys(jobs)) {
		for _, job := range jobs[run] {
			if !named.Has(job.Name) {
				wrong = append(wrong, fmt.Sprintf("status does not name Job %s", job.Name))
			}
		}
	}
	return wrong
}
