// Package scale holds what the pure core does against the number of steps and nodes:
// the work for each of them has to be the same at 10 as at 1,000. A new decision joins
// as another line of the table in this file; the benchmark and the tests go through it.
package scale_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// cases make something of a size, and return what is done with it in one pass. The
// size is the number of steps or nodes, or of what else a person may write many of.
var cases = map[string]func(n int) func(){
	"graph/layers":           func(n int) func() { return build(layers(n)) },
	"graph/chain":            func(n int) func() { return build(chain(n)) },
	"graph/cycle of all":     func(n int) func() { return build(backTo(0, chain(n))) },
	"graph/cycle at the end": func(n int) func() { return build(backTo(n-2, chain(n))) },
	"graph/cycles of two":    func(n int) func() { return build(pairs(n)) },
	"graph/all misspelt":     func(n int) func() { return build(misspelt(layers(n))) },
	"graph/many unknown":     func(n int) func() { return build(unknown(n)) },

	"validation/flow":             func(n int) func() { return validate(flowOf(layers(n))) },
	"validation/all misspelt":     func(n int) func() { return validate(flowOf(misspelt(layers(n)))) },
	"validation/shared volumes":   func(n int) func() { return validate(sharing(flowOf(layers(n)), 20, "volume-%d")) },
	"validation/no such volumes":  func(n int) func() { return validate(sharing(flowOf(layers(n)), 20, "vloume-%d")) },
	"validation/mounts":           func(n int) func() { return validate(mounting(n, "volume-%d")) },
	"validation/mounts misspelt":  func(n int) func() { return validate(mounting(n, "vloume-%d")) },
	"validation/exclude list":     func(n int) func() { return func() { validation.DaemonJob(daemonWithout(nodeNames(n))) } },
	"validation/jobTemplateRef":   func(n int) func() { return validate(referring(flowOf(layers(n)))) },
	"plan/flow starts":            func(n int) func() { return pass(flowOf(make([]graph.Step, 0, n), n), 0, 0, "") },
	"plan/flow half-way":          func(n int) func() { return pass(flowOf(layers(n)), n/2, 5, "") },
	"plan/flow with pods":         func(n int) func() { return pass(onPods(flowOf(layers(n))), n/2, 5, "") },
	"plan/flow capped":            func(n int) func() { return pass(capped(flowOf(make([]graph.Step, 0, n), n)), n/2, 5, "") },
	"plan/flow fails":             func(n int) func() { return pass(flowOf(layers(n)), n/2, 5, v1alpha1.PhaseFailed) },
	"plan/flow ends":              func(n int) func() { return pass(flowOf(layers(n)), n, 0, "") },
	"plan/flow of jobTemplateRef": func(n int) func() { return pass(referring(flowOf(make([]graph.Step, 0, n), n)), 0, 0, "") },
	"plan/daemon starts":          func(n int) func() { return daemonPass(n, 0) },
	"plan/daemon half-way":        func(n int) func() { return daemonPass(n, n/2) },
	"plan/daemon ends":            func(n int) func() { return daemonPass(n, n) },
	"plan/digest":                 digest,

	"jobs/read":  read,
	"jobs/build": buildJobs,
	"jobs/env":   manyVariables,

	"placement/all nodes":    func(n int) func() { return place(n, &v1alpha1.DaemonJob{}) },
	"placement/exclude list": func(n int) func() { return place(n, daemonWithout(nodeNames(n/2))) },
}

var now = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

func build(steps []graph.Step) func() { return func() { graph.New(steps) } }

// layers are steps of which each depends on the three before it.
func layers(n int) []graph.Step {
	steps := make([]graph.Step, n)
	for i := range steps {
		steps[i].Name = stepName(i)
		for d := max(0, i-3); d < i; d++ {
			steps[i].Dependencies = append(steps[i].Dependencies, stepName(d))
		}
	}
	return steps
}

// chain is written backwards, so that the search for cycles goes down it all at once.
func chain(n int) []graph.Step {
	steps := make([]graph.Step, n)
	for i := range steps {
		steps[i].Name = stepName(i)
		if i < n-1 {
			steps[i].Dependencies = []string{stepName(i + 1)}
		}
	}
	return steps
}

// backTo closes a cycle from the last step.
func backTo(step int, steps []graph.Step) []graph.Step {
	last := &steps[len(steps)-1]
	last.Dependencies = append(last.Dependencies, steps[step].Name)
	return steps
}

// pairs are steps two of which depend on each other, and on the pair before.
func pairs(n int) []graph.Step {
	steps := make([]graph.Step, n)
	for i := range steps {
		steps[i] = graph.Step{Name: stepName(i), Dependencies: []string{stepName(i ^ 1)}}
		if i >= 2 {
			steps[i].Dependencies = append(steps[i].Dependencies, stepName(i-2))
		}
	}
	return steps
}

func misspelt(steps []graph.Step) []graph.Step {
	for i := range steps {
		for d := range steps[i].Dependencies {
			steps[i].Dependencies[d] = strings.Replace(steps[i].Dependencies[d], "step", "setp", 1)
		}
	}
	return steps
}

// unknown returns a few steps, each of which depends on n steps that do not exist.
func unknown(n int) []graph.Step {
	steps := layers(10)
	for i := range steps {
		steps[i].Dependencies = make([]string, n)
		for d := range n {
			steps[i].Dependencies[d] = fmt.Sprintf("unknown-%d", d)
		}
	}
	return steps
}

func stepName(i int) string { return fmt.Sprintf("step-%d", i) }

// flowOf is a flow of these steps, and of more that depend on nothing.
func flowOf(steps []graph.Step, free ...int) *v1alpha1.JobFlow {
	flow := &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "flow", UID: "flow", Generation: 1}}
	for _, n := range free {
		for i := range n {
			steps = append(steps, graph.Step{Name: stepName(i)})
		}
	}
	for i := range steps {
		flow.Spec.Flows = append(flow.Spec.Flows, v1alpha1.FlowStep{
			Name: steps[i].Name, Dependencies: steps[i].Dependencies, JobTemplate: jobSpec(),
		})
	}
	return flow
}

func jobSpec() *batchv1.JobSpec {
	return &batchv1.JobSpec{Completions: ptr.To[int32](1), Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "main", Image: "busybox:1.28"}},
	}}}
}

func onPods(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	flow.Spec.StartOn = v1alpha1.StartOnPodsSucceeded
	return flow
}

func capped(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	flow.Spec.Parallelism = ptr.To[int32](5)
	return flow
}

func referring(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	for i := range flow.Spec.Flows {
		flow.Spec.Flows[i].JobTemplate, flow.Spec.Flows[i].JobTemplateRef = nil, "template"
	}
	return flow
}

// sharing gives the flow shared volumes, and every step mounts of them.
func sharing(flow *v1alpha1.JobFlow, volumes int, mounted string) *v1alpha1.JobFlow {
	for i := range volumes {
		flow.Spec.ShareVolumes = append(flow.Spec.ShareVolumes, corev1.Volume{Name: fmt.Sprintf("volume-%d", i)})
	}
	for i := range flow.Spec.Flows {
		flow.Spec.Flows[i].ShareVolumeMounts = mounts(5, mounted)
	}
	return flow
}

func mounts(n int, named string) []corev1.VolumeMount {
	list := make([]corev1.VolumeMount, n)
	for i := range list {
		list[i] = corev1.VolumeMount{Name: fmt.Sprintf(named, i), MountPath: fmt.Sprintf("/%d", i)}
	}
	return list
}

// mounting is one step with n volumes, and n mounts in its container.
func mounting(n int, mounted string) *v1alpha1.JobFlow {
	flow := flowOf(layers(1))
	pod := &flow.Spec.Flows[0].JobTemplate.Template.Spec
	for i := range n {
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: fmt.Sprintf("volume-%d", i)})
	}
	pod.Containers[0].VolumeMounts = mounts(n, mounted)
	return flow
}

func validate(flow *v1alpha1.JobFlow) func() { return func() { validation.JobFlow(flow) } }

// pass is one reconcile of a flow of which the first steps have ended and some more
// run: plan, status and events. What ended last was not recorded yet, with its end.
func pass(flow *v1alpha1.JobFlow, ended, running int, end v1alpha1.Phase) func() {
	steps := make([]graph.Step, len(flow.Spec.Flows))
	for i := range steps {
		steps[i] = graph.Step{Name: flow.Spec.Flows[i].Name, Dependencies: flow.Spec.Flows[i].Dependencies}
	}
	g, problems := graph.New(steps)
	if len(problems) > 0 {
		panic(problems)
	}
	observed := plan.FlowObserved{Observed: plan.Observed{Jobs: map[string]jobs.State{}}, Templates: map[string]*batchv1.JobSpec{"template": jobSpec()}}
	for i := range min(ended+running, len(steps)) {
		job := made(steps[i].Name)
		pods := podsOf(job)
		if i < ended {
			kind := batchv1.JobComplete
			if i == ended-1 && end == v1alpha1.PhaseFailed {
				kind = batchv1.JobFailed
			}
			job.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now)}}
			pods = nil
		}
		observed.Jobs[steps[i].Name] = jobs.Observe(job, pods)
	}
	// The record of the pass before this one, when all of these ran.
	flow.Status = status.Flow(flow, ptr.To(plan.Flow(flow, g, observed, now)), now)
	if len(flow.Status.Flows) > 0 && ended > 0 {
		last := &flow.Status.Flows[ended-1]
		last.Phase, last.CompletionTime = v1alpha1.PhaseRunning, nil
		flow.Status.Conditions = nil
	}
	return func() {
		p := plan.Flow(flow, g, observed, now)
		for i := range p.Create {
			p.RecordCreated(p.Create[i].Run, p.Create[i].Job)
		}
		next := status.Flow(flow, &p, now)
		status.Compare(&flow.Status, &next).Events()
	}
}

func made(run string) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "flow-" + run, UID: types.UID(run), CreationTimestamp: metav1.NewTime(now)},
		Spec:       batchv1.JobSpec{Completions: ptr.To[int32](1)},
	}
}

func podsOf(job *batchv1.Job) []*corev1.Pod {
	return []*corev1.Pod{{
		ObjectMeta: metav1.ObjectMeta{Name: job.Name + "-x", Finalizers: []string{batchv1.JobTrackingFinalizer}},
		Status:     corev1.PodStatus{Phase: corev1.PodSucceeded},
	}}
}

func read(n int) func() {
	list := make([]*batchv1.Job, n)
	for i := range list {
		list[i] = made(stepName(i))
	}
	return func() {
		for _, job := range list {
			jobs.Observe(job, podsOf(job))
		}
	}
}

func buildJobs(n int) func() {
	flow := sharing(flowOf(layers(n)), 5, "volume-%d")
	flow.Spec.GlobalParams = &v1alpha1.GlobalParams{NodeName: "node", CommonParams: v1alpha1.CommonParams{
		Env: []corev1.EnvVar{{Name: "A", Value: "a"}, {Name: "B", Value: "b"}}, Labels: map[string]string{"team": "a"},
	}}
	return func() {
		for i := range flow.Spec.Flows {
			jobs.ForStep(flow, &flow.Spec.Flows[i], flow.Spec.Flows[i].JobTemplate)
		}
	}
}

// manyVariables builds one Job, with n variables of the flow and n of its own.
func manyVariables(n int) func() {
	flow := flowOf(layers(1))
	variables := func(format string) []corev1.EnvVar {
		list := make([]corev1.EnvVar, n)
		for i := range list {
			list[i].Name = fmt.Sprintf(format, i)
		}
		return list
	}
	step := &flow.Spec.Flows[0]
	step.JobTemplate.Template.Spec.Containers[0].Env = variables("OWN_%d")
	flow.Spec.GlobalParams = &v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{Env: variables("GLOBAL_%d")}}
	return func() { jobs.ForStep(flow, step, step.JobTemplate) }
}

func nodeNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("node-%05d", i)
	}
	return names
}

func nodesOf(n int) []*corev1.Node {
	list := make([]*corev1.Node, n)
	for i, name := range nodeNames(n) {
		list[i] = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if i%10 == 0 {
			list[i].Spec.Taints = []corev1.Taint{{Key: "a", Effect: corev1.TaintEffectNoSchedule}}
		}
	}
	slices.Reverse(list)
	return list
}

func daemonWithout(nodes []string) *v1alpha1.DaemonJob {
	return &v1alpha1.DaemonJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "flow", UID: "daemon", Generation: 1},
		Spec:       v1alpha1.DaemonJobSpec{JobSpec: *jobSpec(), ExcludeNodeList: strings.Join(nodes, ", ")},
	}
}

func place(n int, dj *v1alpha1.DaemonJob) func() {
	nodes := nodesOf(n)
	return func() { placement.Decide(dj, nodes) }
}

// daemonPass is one reconcile of a DaemonJob whose first Jobs are Complete, the last
// of them since the pass before.
func daemonPass(n, ended int) func() {
	dj, nodes := daemonWithout(nil), nodesOf(n)
	observed := plan.DaemonObserved{Observed: plan.Observed{Jobs: map[string]jobs.State{}}, Nodes: sets.New[string]()}
	for i, name := range nodeNames(n) {
		observed.Nodes.Insert(name)
		if ended == 0 || i%10 == 0 {
			continue
		}
		job := made(name)
		if i < ended {
			job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now)}}
		}
		observed.Jobs[name] = jobs.Observe(job, nil)
	}
	reconcile := func() v1alpha1.DaemonJobStatus {
		observed.Placement = placement.Decide(dj, nodes)
		p := plan.Daemon(dj, observed, now)
		for i := range p.Create {
			p.RecordCreated(p.Create[i].Run, p.Create[i].Job)
		}
		return status.Daemon(dj, &p, observed.Nodes, now)
	}
	return func() {
		next := reconcile()
		status.Compare(&dj.Status, &next).Events()
	}
}

// digest remembers n nodes, and asks for all of them.
func digest(n int) func() {
	names := nodeNames(n)
	return func() {
		remembered := plan.Digest(nil).With(names)
		for _, name := range names {
			remembered.Has(name)
		}
	}
}
