package cluster

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// workload is a JobFlow or DaemonJob, and how it has to end. It takes so long that a
// fault finds it under way.
type workload struct {
	parent client.Object
	// with is what it refers to.
	with  []client.Object
	state v1alpha1.State
	// phases are those of steps and nodes that do not end as Succeeded.
	phases map[string]v1alpha1.Phase
	// soon is for a fault that need not wait until the first step has ended.
	soon bool
	// attempts are those of steps and nodes that are run more than once.
	attempts map[string]int
}

// everyFeature are workloads that each use something else.
func everyFeature() []workload {
	return []workload{
		{parent: namedFlow("chain", chain(6, 5)...), state: v1alpha1.StateSucceed},
		{parent: startOnPods(namedFlow("pods-succeeded", chain(8, 5)...)), state: v1alpha1.StateSucceed},
		templateDiamond(),
		{parent: oneAtATime(namedFlow("capped", step("a", 5), step("b", 5), step("c", 5), step("d", 5))), state: v1alpha1.StateSucceed},
		failing(),
		{parent: shortLived(namedFlow("short-lived-jobs", chain(6, 5)...)), state: v1alpha1.StateSucceed},
		{parent: namedFlow("indexed", indexed("a", 5), indexed("b", 5, "a"), step("c", 5, "b"), step("d", 5, "c")), state: v1alpha1.StateSucceed},
		{parent: namedDaemonJob("daemonjob", sleep(25)), state: v1alpha1.StateSucceed},
	}
}

// manyFlows are a load.
func manyFlows() []workload {
	loads := []workload{{parent: namedDaemonJob("daemonjob", sleep(25)), state: v1alpha1.StateSucceed}}
	for i := range 20 {
		flow := namedFlow(fmt.Sprintf("flow-%02d", i), step("a", 4), step("b", 4, "a"), step("c", 4, "a"), step("d", 4, "b", "c"))
		loads = append(loads, workload{parent: flow, soon: true, state: v1alpha1.StateSucceed})
	}
	return loads
}

// onLostNode are workloads with Jobs on a node that is lost, which is on again before
// they end.
func onLostNode(lost string) []workload {
	impatient := on(lost, namedFlow("not-retried", step("a", 2), step("b", 200, "a"), step("c", 1, "b")))
	daemonJob := namedDaemonJob("daemonjob", sleep(40))
	daemonJob.Spec.BackoffLimit = ptr.To[int32](3)
	return []workload{
		{parent: retried(namedFlow("anywhere", chain(8, 10)...)), state: v1alpha1.StateSucceed},
		{parent: retried(on(lost, namedFlow("there", step("a", 2), step("b", 40, "a"), step("c", 2, "b")))), state: v1alpha1.StateSucceed},
		{parent: impatient, state: v1alpha1.StateFailed, phases: map[string]v1alpha1.Phase{
			"b": v1alpha1.PhaseFailed, "c": v1alpha1.PhaseSkipped,
		}},
		{parent: daemonJob, state: v1alpha1.StateSucceed},
	}
}

// onDeletedNode are workloads with Jobs on a node whose object is deleted, and that
// joins again later.
func onDeletedNode(lost string) []workload {
	loads := onLostNode(lost)
	// It has ended when the node joins again.
	done := namedDaemonJob("daemonjob", fmt.Sprintf(`if [ "$RUN" = %s ]; then sleep 200; else sleep 20; fi`, lost))
	done.Spec.BackoffLimit = ptr.To[int32](3)
	loads[len(loads)-1] = workload{parent: done, state: v1alpha1.StateSucceed, phases: map[string]v1alpha1.Phase{lost: v1alpha1.PhaseSkipped}}
	// It has not, since one of its nodes waits for the other.
	again := namedDaemonJob("daemonjob-again", fmt.Sprintf(
		`if [ "$RUN" = %[1]s ]; then sleep 40; else until grep -q "^daemonjob-again %[1]s .* end" /ledger/lines; do sleep 1; done; fi`, lost))
	return append(loads, workload{parent: again, state: v1alpha1.StateSucceed, attempts: map[string]int{lost: 2}})
}

func startOnPods(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	flow.Spec.StartOn = v1alpha1.StartOnPodsSucceeded
	return flow
}

func oneAtATime(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	flow.Spec.Parallelism = ptr.To[int32](1)
	return flow
}

// shortLived has Jobs that are deleted as soon as they have ended.
func shortLived(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	for i := range flow.Spec.Flows {
		flow.Spec.Flows[i].JobTemplate.TTLSecondsAfterFinished = ptr.To[int32](0)
	}
	return flow
}

// templateDiamond has steps that refer to a JobTemplate.
func templateDiamond() workload {
	template := &v1alpha1.JobTemplate{ObjectMeta: metav1.ObjectMeta{Name: "template"}}
	template.Spec.JobTemplate = *work(sleep(8))
	refer := func(name string, after ...string) v1alpha1.FlowStep {
		return v1alpha1.FlowStep{Name: name, Dependencies: after, JobTemplateRef: template.Name}
	}
	flow := namedFlow("diamond", refer("a"), refer("b", "a"), refer("c", "a"), refer("d", "b", "c"))
	return workload{parent: flow, with: []client.Object{template}, state: v1alpha1.StateSucceed}
}

// failing has a step that fails, one that does not care, and one that is skipped.
func failing() workload {
	flow := namedFlow("failing", step("a", 5),
		v1alpha1.FlowStep{Name: "b", Dependencies: []string{"a"}, JobTemplate: work("sleep 12; false")},
		step("c", 20, "a"), step("d", 1, "b", "c"))
	return workload{parent: flow, state: v1alpha1.StateFailed, phases: map[string]v1alpha1.Phase{
		"b": v1alpha1.PhaseFailed, "d": v1alpha1.PhaseSkipped,
	}}
}

// indexed has three pods.
func indexed(name string, seconds int, after ...string) v1alpha1.FlowStep {
	s := step(name, seconds, after...)
	s.JobTemplate.Completions, s.JobTemplate.Parallelism = ptr.To[int32](3), ptr.To[int32](3)
	s.JobTemplate.CompletionMode = ptr.To(batchv1.IndexedCompletion)
	return s
}
