package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// logLines returns what is logged at a verbosity, each line as "level message key=value".
func logLines(verbosity int, work func(log logr.Logger)) []string {
	var lines []string
	sink := func(_, line string) {
		lines = append(lines, strings.NewReplacer(`"level"=`, "", ` "msg"=`, " ", `"`, "").Replace(line))
	}
	work(funcr.New(sink, funcr.Options{Verbosity: verbosity}))
	return lines
}

func TestChangesAreLogged(t *testing.T) {
	waiting := func(reason, message string) v1alpha1.RunStatus {
		return v1alpha1.RunStatus{Name: "a", Phase: v1alpha1.PhaseWaiting, Reason: reason, Message: message}
	}
	withJob := func(phase v1alpha1.Phase, reason string) v1alpha1.RunStatus {
		return v1alpha1.RunStatus{Name: "a", Phase: phase, Reason: reason, JobName: "f-a", JobUID: "1", Attempt: 1}
	}
	rejected := v1alpha1.RunStatus{Name: "a", Phase: v1alpha1.PhaseFailed, Reason: v1alpha1.ReasonJobRejected, Message: "no image"}
	skipped := v1alpha1.RunStatus{Name: "a", Phase: v1alpha1.PhaseSkipped, Reason: v1alpha1.ReasonDependencyFailed}
	for name, c := range map[string]struct {
		before, after v1alpha1.RunStatus
		want          []string
	}{
		"nothing": {withJob(v1alpha1.PhaseRunning, ""), withJob(v1alpha1.PhaseRunning, ""), nil},
		"a wait": {v1alpha1.RunStatus{}, waiting("Dependency", "waits for b"), []string{
			"2 Waiting step=a reason=Dependency message=waits for b",
		}},
		"a Job is created": {waiting("Dependency", ""), withJob(v1alpha1.PhaseRunning, ""), []string{
			"1 Job created step=a job=f-a attempt=1",
		}},
		"a Job waits for its pods": {withJob(v1alpha1.PhaseRunning, ""), withJob(v1alpha1.PhaseWaiting, "Unschedulable"), []string{
			"2 Waiting step=a reason=Unschedulable message=",
		}},
		"a Job ends": {withJob(v1alpha1.PhaseRunning, ""), withJob(v1alpha1.PhaseFailed, "BackoffLimitExceeded"), []string{
			"1 Job ended step=a reason=BackoffLimitExceeded message= job=f-a attempt=1 phase=Failed",
		}},
		"a Job is created and ends before its status is computed": {waiting("", ""), withJob(v1alpha1.PhaseSucceeded, ""), []string{
			"1 Job created step=a job=f-a attempt=1",
			"1 Job ended step=a reason= message= job=f-a attempt=1 phase=Succeeded",
		}},
		"a Job is refused": {v1alpha1.RunStatus{}, waiting("CreateFailed", "over quota"), []string{
			"1 Job refused step=a reason=CreateFailed message=over quota",
		}},
		"a Job is refused for good": {v1alpha1.RunStatus{}, rejected, []string{
			"1 Job refused step=a reason=JobRejected message=no image",
		}},
		"a step is skipped": {waiting("Dependency", ""), skipped, []string{
			"1 Skipped step=a reason=DependencyFailed message=",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			flow := flowAt("u", "1")
			flow.Status.Flows = []v1alpha1.RunStatus{c.before}
			next := &v1alpha1.JobFlowStatus{Flows: []v1alpha1.RunStatus{c.after}}
			if diff := cmp.Diff(c.want, logLines(2, func(log logr.Logger) { logChanges(log, flow, next) })); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			for _, line := range logLines(0, func(log logr.Logger) { logChanges(log, flow, next) }) {
				t.Errorf("logged at V(0): %s", line)
			}
		})
	}
}

func TestChangesOfStateAreLogged(t *testing.T) {
	dj := &v1alpha1.DaemonJob{}
	dj.Status.State = v1alpha1.StateRunning
	dj.Status.Nodes = []v1alpha1.RunStatus{{Name: "n", Phase: v1alpha1.PhaseRunning, JobName: "d-n", JobUID: "1", Attempt: 1}}
	next := dj.DeepCopy()
	next.Status.Summary = v1alpha1.Summary{State: v1alpha1.StateSucceed, Message: "1 of 1 nodes succeeded"}
	next.Status.Nodes[0].Phase = v1alpha1.PhaseSucceeded
	want := []string{
		"1 Job ended node=n reason= message= job=d-n attempt=1 phase=Succeeded",
		"1 State changed from=Running to=Succeed message=1 of 1 nodes succeeded",
	}
	if diff := cmp.Diff(want, logLines(1, func(log logr.Logger) { logChanges(log, dj, next.GetStatus()) })); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestRequeuesAreLogged(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "jobs"}, "a", errors.New("changed"))
	for name, c := range map[string]struct {
		due  requeue
		err  error
		want []string
	}{
		"none":       {requeue{}, nil, nil},
		"a deadline": {requeue{time.Minute, "a deadline"}, nil, []string{"2 Requeue after=1m0s reason=a deadline"}},
		"a conflict": {requeue{time.Minute, "a deadline"}, conflict, []string{"2 Requeue after=100ms reason=a write lost against a newer version"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := logLines(2, func(log logr.Logger) {
				if _, err := newResult(logr.NewContext(context.Background(), log), c.due, c.err); err != nil {
					t.Error(err)
				}
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}
