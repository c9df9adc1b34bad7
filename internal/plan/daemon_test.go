package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

const (
	taintedNode    = "Skipped UntoleratedTaint: the pod template does not tolerate the taint t:NoSchedule"
	goneNode       = "n1 Skipped NodeGone: node n1 left the cluster before Job p-n1 had ended"
	oldJobDeleting = "Waiting NodeGone: the node left the cluster and came back; waits until its old Job p-n1 is deleted"
)

// goneRun is the entry of n1, which left while its Job ran.
func goneRun() runBuilder { return run("n1").running().skipped(v1alpha1.ReasonNodeGone) }

func TestWhichNodesGetAJob(t *testing.T) {
	checkDaemons(t, map[string]daemonCase{
		"every node that may, sorted by name": {
			dj:   newDaemon(),
			seen: seen().on("n2", "n1"),
			want: outcome{Runs: []string{"n1 Waiting", "n2 Waiting"}, Create: []string{"p-n1", "p-n2"}},
		},
		"none on a node that is excluded or does not match": {
			dj:   newDaemon(),
			seen: seen().on("n1").unfit("n2"),
			want: outcome{Runs: []string{"n1 Waiting"}, Create: []string{"p-n1"}},
		},
		"none on a tainted node, which is named": {
			dj:   newDaemon(),
			seen: seen().on("n1").tainted("n2"),
			want: outcome{Runs: []string{"n1 Waiting", "n2 " + taintedNode}, Create: []string{"p-n1"}},
		},
		"the taint is gone": {
			dj:   newDaemon().recorded(run("n1").running(), run("n2").skipped(v1alpha1.ReasonUntoleratedTaint)),
			seen: seen(job("n1")).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Running", "n2 Waiting"}, Create: []string{"p-n2"}},
		},
		"the tainted node is gone": {
			dj:   newDaemon().recorded(run("n1").running(), run("n2").skipped(v1alpha1.ReasonUntoleratedTaint)),
			seen: seen(job("n1")).on("n1"),
			want: outcome{Runs: []string{"n1 Running"}},
		},
		"the tainted node no longer matches": {
			dj:   newDaemon().recorded(run("n1").running(), run("n2").skipped(v1alpha1.ReasonUntoleratedTaint)),
			seen: seen(job("n1")).on("n1").unfit("n2"),
			want: outcome{Runs: []string{"n1 Running"}},
		},
		"tainted after the Job was created: it runs on": {
			dj:   newDaemon().recorded(run("n1").running()),
			seen: seen(job("n1")).tainted("n1"),
			want: outcome{Runs: []string{"n1 Running"}},
		},
		"no longer matching after the Job was created: it runs on": {
			dj:   newDaemon().recorded(run("n1").running()),
			seen: seen(job("n1")).unfit("n1"),
			want: outcome{Runs: []string{"n1 Running"}},
		},
		"a node that joined while it runs": {
			dj:   newDaemon().recorded(run("n1").running()),
			seen: seen(job("n1")).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Running", "n2 Waiting"}, Create: []string{"p-n2"}},
		},
		"a node that joined after the end": {
			dj:   newDaemon().is(v1alpha1.ConditionComplete, v1alpha1.ReasonCompleted).recorded(run("n1").succeeded()),
			seen: seen(job("n1").complete()).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Succeeded"}, Ended: true},
		},
		"no node": {
			dj:   newDaemon(),
			seen: seen(),
			want: outcome{},
		},
		"the others start and go on when one has failed": {
			dj:   newDaemon().recorded(run("n1").running(), run("n2").running()),
			seen: seen(job("n1").failed(), job("n2")).on("n1", "n2", "n3"),
			want: outcome{Runs: []string{"n1 Failed BackoffLimitExceeded", "n2 Running", "n3 Waiting"}, Create: []string{"p-n3"}},
		},
	})
}

func TestResultsOfNodesAreLatched(t *testing.T) {
	checkDaemons(t, map[string]daemonCase{
		"the Job is gone": {
			dj:   newDaemon().recorded(run("n1").succeeded(), run("n2").running()),
			seen: seen(job("n2")).on("n1", "n2"),
			want: outcome{Runs: []string{"n1 Succeeded", "n2 Running"}},
		},
		"the node is gone": {
			dj:   newDaemon().recorded(run("n1").succeeded(), run("n2").running()),
			seen: seen(job("n1").complete(), job("n2")).on("n2"),
			want: outcome{Runs: []string{"n1 Succeeded", "n2 Running"}},
		},
		"remembered in the digest: no Job, no entry": {
			dj:   newDaemon().digested("n1").recorded(run("n2").running()),
			seen: seen(job("n2")).on("n1", "n2"),
			want: outcome{Runs: []string{"n2 Running"}},
		},
		"remembered in the digest: its Job is released": {
			dj:   newDaemon().digested("n1").recorded(run("n2").running()),
			seen: seen(job("n1").complete().annotated(v1alpha1.TTLAnnotation, "5"), job("n2")).on("n1", "n2"),
			want: outcome{
				Runs:   []string{"n2 Running"},
				Update: []string{"p-n1: ttl=5 -ttl-seconds-after-finished"},
			},
		},
		"a Job that a person deleted failed": {
			dj:   newDaemon().recorded(run("n1").running()),
			seen: seen().gone("n1").on("n1"),
			want: outcome{Runs: []string{"n1 Failed JobDeleted: Job p-n1 was deleted before it had ended"}},
		},
	})
}

func TestNodesThatLeave(t *testing.T) {
	checkDaemons(t, map[string]daemonCase{
		"before it had a Job": {
			dj:   newDaemon().recorded(run("n1").because(v1alpha1.ReasonCreateFailed), run("n2").running()),
			seen: seen(job("n2")).on("n2"),
			want: outcome{Runs: []string{"n2 Running"}},
		},
		"while its Job runs: that is recorded first": {
			dj:   newDaemon().recorded(run("n1").running()),
			seen: seen(job("n1")),
			want: outcome{Runs: []string{goneNode}},
		},
		"while its Job runs, which was not recorded": {
			dj:   newDaemon(),
			seen: seen(job("n1")),
			want: outcome{Runs: []string{goneNode}},
		},
		"recorded: the Job is deleted": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen(job("n1")),
			want: outcome{Runs: []string{goneNode}, Delete: []string{"p-n1"}},
		},
		"recorded, and the DaemonJob has ended: the Job is deleted": {
			dj: newDaemon().is(v1alpha1.ConditionComplete, v1alpha1.ReasonCompleted).
				recorded(goneRun(), run("n2").succeeded()),
			seen: seen(job("n1"), job("n2").complete()).on("n2"),
			want: outcome{Runs: []string{"n1 Skipped NodeGone", "n2 Succeeded"}, Delete: []string{"p-n1"}, Ended: true},
		},
		"the Job is being deleted": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen(job("n1").deleting()),
			want: outcome{Runs: []string{goneNode}},
		},
		"the Job is gone": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen(),
			want: outcome{Runs: []string{goneNode}},
		},
		"the Job had ended": {
			dj:   newDaemon().recorded(run("n1").running()),
			seen: seen(job("n1").complete()),
			want: outcome{Runs: []string{"n1 Succeeded"}},
		},
		"the Job ended after all": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen(job("n1").complete()),
			want: outcome{Runs: []string{"n1 Succeeded"}},
		},
	})
}

func TestNodesThatComeBack(t *testing.T) {
	// What is recorded while the node is back and its first Job is not gone yet.
	waiting := run("n1").running().withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonNodeGone)
	checkDaemons(t, map[string]daemonCase{
		"before that was recorded: nothing has happened": {
			dj:   newDaemon().recorded(run("n1").running()),
			seen: seen(job("n1")).on("n1"),
			want: outcome{Runs: []string{"n1 Running"}},
		},
		"before the Job is deleted, or the cache does not show that yet": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen(job("n1")).on("n1"),
			want: outcome{Runs: []string{"n1 " + oldJobDeleting}, Delete: []string{"p-n1"}},
		},
		"while the Job is being deleted": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen(job("n1").deleting()).on("n1"),
			want: outcome{Runs: []string{"n1 " + oldJobDeleting}},
		},
		"it still is": {
			dj:   newDaemon().recorded(waiting),
			seen: seen(job("n1").deleting()).on("n1"),
			want: outcome{Runs: []string{"n1 " + oldJobDeleting}},
		},
		"and leaves again meanwhile": {
			dj:   newDaemon().recorded(waiting),
			seen: seen(job("n1").deleting()),
			want: outcome{Runs: []string{goneNode}},
		},
		"now the Job is gone": {
			dj:   newDaemon().recorded(waiting),
			seen: seen().gone("n1").on("n1"),
			want: outcome{Runs: []string{"n1 Waiting"}, Create: []string{"p-n1"}},
		},
		"now the Job is gone, but the DaemonJob is suspended": {
			dj:   newDaemon().suspend().recorded(waiting),
			seen: seen().on("n1"),
			want: outcome{Runs: []string{"n1 " + waitsForResume}, Suspended: true},
		},
		"long after": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen().on("n1"),
			want: outcome{Runs: []string{"n1 Waiting"}, Create: []string{"p-n1"}},
		},
		"with a taint": {
			dj:   newDaemon().recorded(goneRun()),
			seen: seen().tainted("n1"),
			want: outcome{Runs: []string{"n1 " + taintedNode}},
		},
		"its second Job was created, but not recorded": {
			dj:   newDaemon().recorded(waiting),
			seen: seen(job("n1").uid("second")).on("n1"),
			want: outcome{Runs: []string{"n1 Running"}},
		},
	})
}

func TestAttemptsOfANodeThatComesBack(t *testing.T) {
	second := job("n1").uid("second")
	cases := map[string]struct {
		recorded runBuilder
		seen     seenBuilder
		want     runBuilder
	}{
		"waits for the first Job to go": {
			recorded: goneRun(),
			seen:     seen(job("n1").deleting()).on("n1"),
			want:     run("n1").withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonNodeGone),
		},
		"left again meanwhile": {
			recorded: run("n1").withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonNodeGone),
			seen:     seen(job("n1").deleting()),
			want:     goneRun(),
		},
		"has its second Job": {
			recorded: goneRun(),
			seen:     seen().on("n1"),
			want:     run("n1").running().uid("second").attempt(2),
		},
		"has its second Job, not recorded": {
			recorded: goneRun(),
			seen:     seen(second).on("n1"),
			want:     run("n1").running().uid("second").attempt(2),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := planDaemon(t, newDaemon().recorded(c.recorded), c.seen)
			for _, creation := range p.Create {
				p.RecordCreated(creation.Run, second.Job)
			}
			got := p.Runs[0]
			got.Message = ""
			if diff := cmp.Diff(c.want.RunStatus, got); diff != "" {
				t.Errorf("entry (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheJobOfANodeToBeDeletedIsNotLookedFor(t *testing.T) {
	waiting := run("n1").withJob(v1alpha1.PhaseWaiting).because(v1alpha1.ReasonNodeGone)
	if plan.Active(&waiting.RunStatus) {
		t.Error("it counts as active: that it is gone would be a failure")
	}
}

func TestSuspendedDaemonJob(t *testing.T) {
	checkDaemons(t, map[string]daemonCase{
		"no Job is created, those that run are suspended": {
			dj:   newDaemon().suspend().recorded(run("n1").running()),
			seen: seen(job("n1").annotated(v1alpha1.SettingsAnnotation, "")).on("n1", "n2").tainted("n3"),
			want: outcome{
				Runs:      []string{"n1 Running", "n2 " + waitsForResume, "n3 " + taintedNode},
				Update:    []string{"p-n1: suspend=true +suspended-by-parent=true"},
				Suspended: true,
			},
		},
		"resumed": {
			dj: newDaemon().is(v1alpha1.ConditionSuspended, v1alpha1.ReasonSuspended).
				recorded(run("n2").because(v1alpha1.ReasonSuspended)),
			seen: seen(job("n1").suspended().annotated(v1alpha1.SuspendedAnnotation, "true")).on("n1", "n2"),
			want: outcome{
				Runs:   []string{"n1 Waiting Suspended: spec.suspend of the JobFlow is true", "n2 Waiting"},
				Create: []string{"p-n2"},
				Update: []string{"p-n1: suspend=false -suspended-by-parent"},
			},
		},
	})
}

func TestClockOfADaemonJob(t *testing.T) {
	if diff := cmp.Diff(ago(time.Minute), planDaemon(t, newDaemon(), seen()).StartTime); diff != "" {
		t.Errorf("going on (-want +got):\n%s", diff)
	}
	resumed := newDaemon().is(v1alpha1.ConditionSuspended, v1alpha1.ReasonSuspended)
	if diff := cmp.Diff(ago(0), planDaemon(t, resumed, seen()).StartTime); diff != "" {
		t.Errorf("resumed (-want +got):\n%s", diff)
	}
}
