package main

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// workload is one kind of load: what is created, what is done to it, and what has to
// become of it. A new feature joins the soak as another one in the table below.
type workload struct {
	name string
	// share is how many of it there are in each round of the table.
	share int
	flow  v1alpha1.JobFlowSpec
	// daemon is set where it is a DaemonJob.
	daemon *v1alpha1.DaemonJobSpec
	// changes are made one after the other, each once the object is in a state.
	changes []change
	// end is the state that it ends in; empty if it is deleted before.
	end v1alpha1.State
	// phases are those that its steps end in, where that is not Succeeded.
	phases map[string]v1alpha1.Phase
	// instead are others that they may end in, where a fault came at that moment.
	instead map[string]v1alpha1.Phase
}

type change struct {
	when v1alpha1.State
	do   func(ctx context.Context, c client.Client, object client.Object) error
}

// workloads is the table.
var workloads = []workload{
	{name: "chain", share: 20, end: v1alpha1.StateSucceed, flow: steps(step("a"), step("b", "a"))},
	{name: "diamond", share: 15, end: v1alpha1.StateSucceed, flow: steps(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))},
	{name: "fan-out", share: 5, end: v1alpha1.StateSucceed, flow: fanOut(8)},
	{
		name: "fails", share: 10, end: v1alpha1.StateFailed, flow: steps(step("a"), step("b", "a", fails("b")), step("c", "b")),
		phases: map[string]v1alpha1.Phase{"b": v1alpha1.PhaseFailed, "c": v1alpha1.PhaseSkipped},
	},
	{name: "template", share: 10, end: v1alpha1.StateSucceed, flow: steps(fromTemplate("a"), fromTemplate("b", "a"))},
	{name: "pods", share: 12, end: v1alpha1.StateSucceed, flow: onPods(steps(step("a", hasPods), step("b", "a", hasPods), step("c", "b", hasPods)))},
	{name: "capped", share: 6, end: v1alpha1.StateSucceed, flow: atMost(2, fanOut(4))},
	{
		name: "held", share: 6, end: v1alpha1.StateSucceed, flow: held(steps(step("a"), step("b", "a"))),
		changes: []change{{v1alpha1.StateSuspended, suspend(false)}},
	},
	{
		name: "paused", share: 4, end: v1alpha1.StateSucceed, flow: steps(step("a", takesSeconds), step("b", "a")),
		changes: []change{{v1alpha1.StateRunning, suspend(true)}, {v1alpha1.StateSuspended, suspend(false)}},
	},
	{
		name: "deadline", share: 3, end: v1alpha1.StateFailed, flow: endsAfter(2, steps(step("a", hangs), step("b", "a"))),
		phases:  map[string]v1alpha1.Phase{"a": v1alpha1.PhaseFailed, "b": v1alpha1.PhaseSkipped},
		instead: map[string]v1alpha1.Phase{"a": v1alpha1.PhaseSkipped}, // its Job could not be created in time
	},
	{
		name: "job-deleted", share: 3, end: v1alpha1.StateFailed, flow: steps(step("a", hangs), step("b", "a")),
		changes: []change{{v1alpha1.StateRunning, deleteJob("a")}},
		phases:  map[string]v1alpha1.Phase{"a": v1alpha1.PhaseFailed, "b": v1alpha1.PhaseSkipped},
	},
	{name: "job-ttl", share: 3, end: v1alpha1.StateSucceed, flow: steps(step("a", jobTTL), step("b", "a", jobTTL))},
	{
		name: "removed", share: 3, flow: steps(step("a"), step("b", "a", hangs), step("c", "b")),
		changes: []change{{v1alpha1.StateRunning, remove}},
	},
	{
		name: "daemon", share: 1, end: v1alpha1.StateSucceed, daemon: &v1alpha1.DaemonJobSpec{JobSpec: *build.JobSpec()},
		changes: []change{{v1alpha1.StateSucceed, remove}},
	},
}

// templateOf is the JobTemplate that exists.
const templateOf = "soak-shared"

// option is the name of a dependency, or a function that changes a step.
type option any

func step(name string, options ...option) v1alpha1.FlowStep {
	s := build.Step(name)
	for _, o := range options {
		switch o := o.(type) {
		case string:
			s.Dependencies = append(s.Dependencies, o)
		case func(*batchv1.JobSpec):
			o(s.JobTemplate)
		default:
			panic(fmt.Sprintf("%T is no option of a step", o))
		}
	}
	return s
}

func fromTemplate(name string, dependencies ...string) v1alpha1.FlowStep {
	return build.StepFrom(templateOf, name, dependencies...)
}

func fails(step string) func(*batchv1.JobSpec) {
	return func(spec *batchv1.JobSpec) { note(spec, harness.FailAnnotation, step) }
}

func hasPods(spec *batchv1.JobSpec)      { note(spec, harness.PodsAnnotation, "true") }
func takesSeconds(spec *batchv1.JobSpec) { note(spec, harness.LastsAnnotation, "3s") }
func hangs(spec *batchv1.JobSpec)        { note(spec, harness.LastsAnnotation, "24h") }
func jobTTL(spec *batchv1.JobSpec)       { spec.TTLSecondsAfterFinished = ptr.To[int32](1) }

func note(spec *batchv1.JobSpec, key, value string) {
	if spec.Template.Annotations == nil {
		spec.Template.Annotations = map[string]string{}
	}
	spec.Template.Annotations[key] = value
}

func steps(list ...v1alpha1.FlowStep) v1alpha1.JobFlowSpec { return v1alpha1.JobFlowSpec{Flows: list} }

// fanOut is one step, n that depend on it, and one that depends on all of these.
func fanOut(n int) v1alpha1.JobFlowSpec {
	list := []v1alpha1.FlowStep{step("first")}
	join := step("last")
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		list = append(list, step(name, "first"))
		join.Dependencies = append(join.Dependencies, name)
	}
	return steps(append(list, join)...)
}

func onPods(spec v1alpha1.JobFlowSpec) v1alpha1.JobFlowSpec {
	spec.StartOn = v1alpha1.StartOnPodsSucceeded
	return spec
}

func atMost(n int32, spec v1alpha1.JobFlowSpec) v1alpha1.JobFlowSpec {
	spec.Parallelism = &n
	return spec
}

func held(spec v1alpha1.JobFlowSpec) v1alpha1.JobFlowSpec {
	spec.Suspend = ptr.To(true)
	return spec
}

func endsAfter(seconds int64, spec v1alpha1.JobFlowSpec) v1alpha1.JobFlowSpec {
	spec.ActiveDeadlineSeconds = &seconds
	return spec
}

func suspend(value bool) func(context.Context, client.Client, client.Object) error {
	return func(ctx context.Context, c client.Client, object client.Object) error {
		patch := fmt.Appendf(nil, `{"spec":{"suspend":%t}}`, value)
		return c.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
	}
}

func deleteJob(step string) func(context.Context, client.Client, client.Object) error {
	return func(ctx context.Context, c client.Client, object client.Object) error {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: object.GetNamespace(), Name: object.GetName() + "-" + step}}
		return c.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))
	}
}

func remove(ctx context.Context, c client.Client, object client.Object) error {
	return c.Delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationBackground))
}

// make is the n-th object of the workload, whose name says what it is.
func (w *workload) make(n int, ttl int32) client.Object {
	meta := metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: fmt.Sprintf("%s-%d", w.name, n)}
	if w.daemon != nil {
		return &v1alpha1.DaemonJob{ObjectMeta: meta, Spec: *w.daemon.DeepCopy()}
	}
	flow := &v1alpha1.JobFlow{ObjectMeta: meta, Spec: *w.flow.DeepCopy()}
	flow.Spec.TTLSecondsAfterFinished = &ttl
	return flow
}

// workloadOf finds the workload of an object by its name; nil if it is none of ours.
func workloadOf(name string) *workload {
	prefix := name[:max(0, strings.LastIndex(name, "-"))]
	for i := range workloads {
		if workloads[i].name == prefix {
			return &workloads[i]
		}
	}
	return nil
}

// dependencies are the names of the steps that one depends on.
func (w *workload) dependencies(step string) []string {
	for i := range w.flow.Flows {
		if w.flow.Flows[i].Name == step {
			return w.flow.Flows[i].Dependencies
		}
	}
	return nil
}

// standing is what the status of a JobFlow and of a DaemonJob have in common.
func standing(object client.Object) (*v1alpha1.Summary, []v1alpha1.RunStatus) {
	switch object := object.(type) {
	case *v1alpha1.JobFlow:
		return &object.Status.Summary, object.Status.Flows
	case *v1alpha1.DaemonJob:
		return &object.Status.Summary, object.Status.Nodes
	default:
		panic(fmt.Sprintf("%T has no status of ours", object))
	}
}

func hasEnded(s *v1alpha1.Summary) bool {
	return s.State == v1alpha1.StateSucceed || s.State == v1alpha1.StateFailed
}
