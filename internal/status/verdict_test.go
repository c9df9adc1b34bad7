package status_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// said is a status in short.
type said struct {
	State             v1alpha1.State
	Progress, Message string
	Ready, Stalled    string // the reasons; that of Stalled only while it is True
	Completed         bool
}

func shortOf(s *v1alpha1.Summary) said {
	short := said{State: s.State, Progress: s.Progress, Message: s.Message, Completed: s.CompletionTime != nil}
	for i := range s.Conditions {
		switch c := &s.Conditions[i]; {
		case c.Type == v1alpha1.ConditionReady:
			short.Ready = c.Reason
		case c.Type == v1alpha1.ConditionStalled && c.Status == "True":
			short.Stalled = c.Reason
		}
	}
	return short
}

func TestTheVerdictOnAFlow(t *testing.T) {
	cases := map[string]struct {
		plan *planBuilder
		want said
	}{
		"nothing has started": {
			planned(run("a"), run("b").because(v1alpha1.ReasonDependency, "waits for a")),
			said{State: v1alpha1.StatePending, Progress: "0/2", Message: "0 of 2 steps succeeded", Ready: "Pending"},
		},
		"nothing has started for a JobTemplate that is missing": {
			planned(run("a").because(v1alpha1.ReasonJobTemplateMissing, "it is missing")),
			said{State: v1alpha1.StatePending, Progress: "0/1", Message: "step a: it is missing; 0 of 1 steps succeeded", Ready: "Pending"},
		},
		"running": {
			planned(run("a").running(), run("b").because(v1alpha1.ReasonDependency, "waits for a")),
			said{State: v1alpha1.StateRunning, Progress: "0/2", Message: "0 of 2 steps succeeded", Ready: "Running"},
		},
		"between two steps": {
			planned(run("a").succeeded(), run("b").because(v1alpha1.ReasonParallelism, "waits")),
			said{State: v1alpha1.StateRunning, Progress: "1/2", Message: "1 of 2 steps succeeded", Ready: "Running"},
		},
		"a pod is held up": {
			planned(run("a").withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonImagePull, "no such image")),
			said{State: v1alpha1.StateRunning, Progress: "0/1", Message: "step a: no such image; 0 of 1 steps succeeded", Ready: "Running"},
		},
		"the name of a Job is taken: nothing goes on": {
			planned(run("a").succeeded(), run("b").because(v1alpha1.ReasonNameConflict, "it is taken")),
			said{
				State: v1alpha1.StateRunning, Progress: "1/2", Message: "step b: it is taken; 1 of 2 steps succeeded",
				Ready: "NameConflict", Stalled: "NameConflict",
			},
		},
		"the name of a Job is taken, another runs": {
			planned(run("a").running(), run("b").because(v1alpha1.ReasonNameConflict, "it is taken")),
			said{State: v1alpha1.StateRunning, Progress: "0/2", Message: "step b: it is taken; 0 of 2 steps succeeded", Ready: "Running"},
		},
		"Complete": {
			planned(run("a").succeeded(), run("b").succeeded()),
			said{State: v1alpha1.StateSucceed, Progress: "2/2", Message: "2 of 2 steps succeeded", Ready: "Completed", Completed: true},
		},
		"one failed, another runs: Running until it has ended": {
			planned(run("a").failed("BackoffLimitExceeded", "too often"), run("b").running(), run("c").skipped(v1alpha1.ReasonFlowFailed)),
			said{
				State: v1alpha1.StateRunning, Progress: "0/3", Ready: "Running",
				Message: "step a failed: BackoffLimitExceeded: too often, and the Jobs that run are left to finish; 0 of 3 steps succeeded",
			},
		},
		"one failed, all have ended": {
			planned(run("a").failed("BackoffLimitExceeded", "too often"), run("b").succeeded(), run("c").skipped(v1alpha1.ReasonFlowFailed)),
			said{
				State: v1alpha1.StateFailed, Progress: "1/3", Ready: "StepFailed", Stalled: "StepFailed", Completed: true,
				Message: "step a failed: BackoffLimitExceeded: too often; 1 of 3 steps did not run",
			},
		},
		"several failed": {
			planned(run("a").failed("X", ""), run("b").failed("Y", "z"), run("c").failed("Y", "z")),
			said{
				State: v1alpha1.StateFailed, Progress: "0/3", Ready: "StepFailed", Stalled: "StepFailed", Completed: true,
				Message: "step a failed: X (and 2 more failed)",
			},
		},
		"suspended": {
			planned(run("a").succeeded(), run("b").because(v1alpha1.ReasonSuspended, "waits")).suspended(),
			said{State: v1alpha1.StateSuspended, Progress: "1/2", Message: "suspended by spec.suspend; 1 of 2 steps succeeded", Ready: "Suspended"},
		},
		"suspended when all had ended": {
			planned(run("a").succeeded()).suspended(),
			said{State: v1alpha1.StateSucceed, Progress: "1/1", Message: "1 of 1 steps succeeded", Ready: "Completed", Completed: true},
		},
		"the deadline has passed, Jobs are being ended": {
			planned(run("a").running(), run("b").skipped(v1alpha1.ReasonDeadlineExceeded)).expired(),
			said{State: v1alpha1.StateRunning, Progress: "0/2", Message: "activeDeadlineSeconds passed, and the Jobs that still run are being ended; 0 of 2 steps succeeded", Ready: "Running"},
		},
		"the deadline has passed, all have ended": {
			planned(run("a").failed("DeadlineExceeded", "x"), run("b").skipped(v1alpha1.ReasonDeadlineExceeded)).expired(),
			said{
				State: v1alpha1.StateFailed, Progress: "0/2", Ready: "DeadlineExceeded", Stalled: "DeadlineExceeded", Completed: true,
				Message: "activeDeadlineSeconds passed; 0 of 2 steps succeeded",
			},
		},
		"the deadline passed before anything could start": {
			planned(run("a").skipped(v1alpha1.ReasonDeadlineExceeded)).expired(),
			said{
				State: v1alpha1.StateFailed, Progress: "0/1", Ready: "DeadlineExceeded", Stalled: "DeadlineExceeded", Completed: true,
				Message: "activeDeadlineSeconds passed; 0 of 1 steps succeeded",
			},
		},
		"all succeeded before the deadline was noticed": {
			planned(run("a").succeeded()).expired(),
			said{State: v1alpha1.StateSucceed, Progress: "1/1", Message: "1 of 1 steps succeeded", Ready: "Completed", Completed: true},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := status.Flow(newFlow(), &c.plan.Plan, now)
			if diff := cmp.Diff(c.want, shortOf(&got.Summary)); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.plan.Runs, got.Flows); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheVerdictOnADaemonJob(t *testing.T) {
	const others = ", and the others do not match its nodeSelector and node affinity; the DaemonJob starts when a node fits"
	cases := map[string]struct {
		exclude string
		digest  []string
		nodes   []string
		plan    *planBuilder
		desired int32
		want    said
	}{
		"running": {
			nodes: []string{"n1", "n2"}, plan: planned(run("n1").succeeded(), run("n2").running()), desired: 2,
			want: said{State: v1alpha1.StateRunning, Progress: "1/2", Message: "1 of 2 nodes succeeded", Ready: "Running"},
		},
		"Complete: nodes that were left out do not count": {
			nodes: []string{"n1", "n2"}, plan: planned(run("n1").succeeded(), run("n2").skipped(v1alpha1.ReasonUntoleratedTaint)), desired: 1,
			want: said{State: v1alpha1.StateSucceed, Progress: "1/1", Message: "1 of 1 nodes succeeded", Ready: "Completed", Completed: true},
		},
		"Complete: a node that is gone is not waited for": {
			nodes: []string{"n1"}, plan: planned(run("n1").succeeded(), run("n2").running().skipped(v1alpha1.ReasonNodeGone)), desired: 1,
			want: said{State: v1alpha1.StateSucceed, Progress: "1/1", Message: "1 of 1 nodes succeeded", Ready: "Completed", Completed: true},
		},
		"Failed": {
			nodes: []string{"n1", "n2"}, plan: planned(run("n1").succeeded(), run("n2").failed("X", "y")), desired: 2,
			want: said{
				State: v1alpha1.StateFailed, Progress: "1/2", Ready: "NodeFailed", Stalled: "NodeFailed", Completed: true,
				Message: "node n2 failed: X: y",
			},
		},
		"no node at all": {
			plan: planned(),
			want: said{
				State: v1alpha1.StatePending, Progress: "0/0", Ready: "NoEligibleNode",
				Message: "no node to run on: of 0 nodes, 0 are named in excludeNodeList, 0 have taints that the pod template does not tolerate" + others,
			},
		},
		"no node that fits: they are counted by why": {
			exclude: " n1 ,n2,other", nodes: []string{"n1", "n2", "n3", "n4"},
			plan: planned(run("n3").skipped(v1alpha1.ReasonUntoleratedTaint)),
			want: said{
				State: v1alpha1.StatePending, Progress: "0/0", Ready: "NoEligibleNode",
				Message: "no node to run on: of 4 nodes, 2 are named in excludeNodeList, 1 have taints that the pod template does not tolerate" + others,
			},
		},
		"no node that fits, and suspended": {
			plan: planned().suspended(),
			want: said{State: v1alpha1.StateSuspended, Progress: "0/0", Message: "suspended by spec.suspend", Ready: "Suspended"},
		},
		"suspended": {
			nodes: []string{"n1"}, plan: planned(run("n1").because(v1alpha1.ReasonSuspended, "waits")).suspended(), desired: 1,
			want: said{State: v1alpha1.StateSuspended, Progress: "0/1", Message: "suspended by spec.suspend; 0 of 1 nodes succeeded", Ready: "Suspended"},
		},
		"only nodes that are no longer listed have run": {
			digest: []string{"n1", "n2"}, nodes: []string{"n1", "n2", "n3"},
			plan: planned(run("n3").because(v1alpha1.ReasonCreateFailed, "no quota")), desired: 3,
			want: said{State: v1alpha1.StateRunning, Progress: "2/3", Message: "node n3: no quota; 2 of 3 nodes succeeded", Ready: "Running"},
		},
		"all are no longer listed": {
			digest: []string{"n1", "n2"}, nodes: []string{"n1", "n2"}, plan: planned(), desired: 2,
			want: said{State: v1alpha1.StateSucceed, Progress: "2/2", Message: "2 of 2 nodes succeeded", Ready: "Completed", Completed: true},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dj := newDaemon()
			dj.Spec.ExcludeNodeList = c.exclude
			dj.Status.SucceededDigest = plan.Digest(nil).With(c.digest)
			got := status.Daemon(dj, &c.plan.Plan, sets.New(c.nodes...), now)
			if diff := cmp.Diff(c.want, shortOf(&got.Summary)); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if got.Desired != c.desired {
				t.Errorf("desired %d, want %d", got.Desired, c.desired)
			}
		})
	}
}
