package scenario

import (
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// ofDaemons are the scenarios of DaemonJobs.
var ofDaemons = []Scenario{
	{
		Name:     "every node",
		Nodes:    []Node{{Name: "n1"}, {Name: "n2"}, {Name: "n3"}},
		Objects:  daemon(),
		Want:     "Succeed: n1 Succeeded, n2 Succeeded, n3 Succeeded; Jobs: n1 n2 n3",
		JobsOnly: true,
	},
	{
		Name:     "node excluded, node tainted",
		Nodes:    []Node{{Name: "n1"}, {Name: "n2", Tainted: true}, {Name: "n3"}},
		Objects:  daemon(func(w *World, dj *v1alpha1.DaemonJob) { dj.Spec.ExcludeNodeList = w.node("n1") + ", no-such-node" }),
		Want:     "Succeed: n2 Skipped/UntoleratedTaint, n3 Succeeded; Jobs: n3",
		JobsOnly: true,
	},
	{
		Name:     "node joins",
		Nodes:    []Node{{Name: "n1"}},
		Objects:  daemon(heldJobs),
		Script:   []Move{{running("n1"), joins(Node{Name: "n2"})}, {running("n2"), release("n1", "n2")}},
		Want:     "Succeed: n1 Succeeded, n2 Succeeded; Jobs: n1 n2",
		JobsOnly: true,
	},
	{
		Name:     "first node comes late",
		Objects:  daemon(),
		Script:   []Move{{state(v1alpha1.StatePending), joins(Node{Name: "n1"})}},
		Want:     "Succeed: n1 Succeeded; Jobs: n1",
		JobsOnly: true,
	},
	{
		Name:    "node leaves",
		Nodes:   []Node{{Name: "n1"}, {Name: "n2"}},
		Objects: daemon(heldJobs),
		Script: []Move{
			{both(running("n1"), running("n2")), leaves("n2")},
			{both(recorded("n2", v1alpha1.PhaseSkipped, v1alpha1.ReasonNodeGone), missing("n2")), release("n1")},
		},
		Want:     "Succeed: n1 Succeeded, n2 Skipped/NodeGone; Jobs: n1",
		JobsOnly: true,
	},
	{
		Name:    "node leaves and comes back",
		Nodes:   []Node{{Name: "n1"}, {Name: "n2"}},
		Objects: daemon(heldJobs),
		Script: []Move{
			{both(running("n1"), running("n2")), leaves("n2")},
			{both(recorded("n2", v1alpha1.PhaseSkipped, v1alpha1.ReasonNodeGone), missing("n2")), joins(Node{Name: "n2"})},
			{running("n2"), release("n1", "n2")},
		},
		Attempts: map[string]int{"n2": 2},
		Want:     "Succeed: n1 Succeeded, n2 Succeeded; Jobs: n1 n2",
		JobsOnly: true,
	},
	{
		Name:  "failing node",
		Nodes: []Node{{Name: "n1"}, {Name: "n2"}},
		Objects: daemon(func(w *World, dj *v1alpha1.DaemonJob) {
			dj.Spec.Template.Annotations[harness.FailAnnotation] = w.node("n1")
		}),
		Want:     "Failed: n1 Failed/BackoffLimitExceeded, n2 Succeeded; Jobs: n1 n2",
		JobsOnly: true,
	},
	{
		Name:    "settings changed in the middle",
		Nodes:   []Node{{Name: "n1"}, {Name: "n2"}},
		Objects: daemon(heldJobs),
		Script: []Move{
			{both(running("n1"), running("n2")), editDaemon(func(dj *v1alpha1.DaemonJob) {
				dj.Spec.BackoffLimit, dj.Spec.ActiveDeadlineSeconds = ptr.To[int32](3), ptr.To[int64](3600)
				dj.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
			})},
			{both(jobIs("n1", changed), jobIs("n2", changed)), release("n1", "n2")},
		},
		Want:     "Succeed: n1 Succeeded, n2 Succeeded; Jobs: none",
		JobsOnly: true,
	},
	{
		Name:     "Jobs of nodes with a TTL",
		Nodes:    []Node{{Name: "n1"}, {Name: "n2"}},
		Objects:  daemon(func(_ *World, dj *v1alpha1.DaemonJob) { dj.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }),
		Want:     "Succeed: n1 Succeeded, n2 Succeeded; Jobs: none",
		JobsOnly: true,
	},
	{
		Name:    "DaemonJob suspended and resumed",
		Nodes:   []Node{{Name: "n1"}, {Name: "n2"}},
		Objects: daemon(heldJobs),
		Script: []Move{
			{both(running("n1"), running("n2")), editDaemon(func(dj *v1alpha1.DaemonJob) { dj.Spec.Suspend = ptr.To(true) })},
			{both(jobIs("n1", suspended), jobIs("n2", suspended)), joins(Node{Name: "n3"})},
			{recorded("n3", v1alpha1.PhaseWaiting, v1alpha1.ReasonSuspended), editDaemon(func(dj *v1alpha1.DaemonJob) { dj.Spec.Suspend = ptr.To(false) })},
			{both(both(jobIs("n1", resumed), jobIs("n2", resumed)), running("n3")), release("n1", "n2", "n3")},
		},
		Want:     "Succeed: n1 Succeeded, n2 Succeeded, n3 Succeeded; Jobs: n1 n2 n3",
		JobsOnly: true,
	},
	{
		Name:     "DaemonJob deleted in the middle",
		Nodes:    []Node{{Name: "n1"}, {Name: "n2"}},
		Objects:  daemon(heldJobs),
		Script:   []Move{{both(running("n1"), running("n2")), deleteDaemon}},
		Want:     gone,
		JobsOnly: true,
	},
}

func heldJobs(_ *World, dj *v1alpha1.DaemonJob) {
	dj.Spec.Template.Annotations[harness.HoldAnnotation] = "true"
}

func changed(job *batchv1.Job) bool {
	return ptr.Deref(job.Spec.BackoffLimit, 0) == 3 && ptr.Deref(job.Spec.ActiveDeadlineSeconds, 0) == 3600
}

// daemon is a DaemonJob for the nodes of the world.
func daemon(changes ...func(*World, *v1alpha1.DaemonJob)) objects {
	return func(w *World) []client.Object {
		dj := &v1alpha1.DaemonJob{}
		dj.Name, dj.Spec.JobSpec = daemonName, jobSpec()
		dj.Spec.Template.Spec.NodeSelector = map[string]string{worldLabel: w.Namespace}
		for _, change := range changes {
			change(w, dj)
		}
		return []client.Object{dj}
	}
}
