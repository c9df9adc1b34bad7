package main

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// workload is one row of the benchmark. To measure something new, add a row.
type workload struct {
	key, title string
	// flows and daemonJobs are created at once.
	flows      []*v1alpha1.JobFlow
	daemonJobs []*v1alpha1.DaemonJob
	// nodes is how many simulated nodes there are; 0 for those of the cluster.
	nodes int
	// before fills the cluster before the operator starts.
	before *population
	// base is the key of another workload to compare with. With itsFloor, its floor
	// serves here too.
	base     string
	itsFloor bool
	goals    []goal
}

// podLife is how long each pod runs.
const podLife = "30ms"

func workloads() []workload {
	return []workload{
		{key: "a", title: "a chain of 20 steps", flows: []*v1alpha1.JobFlow{chain("chain", 20)}, goals: ordinary},
		{
			key: "a-pods", title: "the same with startOn: PodsSucceeded", base: "a", itsFloor: true,
			flows: []*v1alpha1.JobFlow{onPods(chain("chain", 20))},
			goals: []goal{{wallRatio, 0.15}},
		},
		{key: "b", title: "200 flows of 5 steps at once", flows: many(200, diamond), goals: ordinary},
		{key: "c", title: "a fan-out of 200 steps and a join", flows: []*v1alpha1.JobFlow{fanOut("fan", 200)}, goals: ordinary},
		{key: "d", title: "a flow of 1,000 steps in 10 layers", flows: []*v1alpha1.JobFlow{layers("layers", 10, 100)}, goals: ordinary},
		{
			key: "e", title: "a DaemonJob on 1,000 nodes", nodes: 1000,
			daemonJobs: []*v1alpha1.DaemonJob{{ObjectMeta: metav1.ObjectMeta{Name: "everywhere"}, Spec: v1alpha1.DaemonJobSpec{JobSpec: *jobSpec()}}},
			goals:      []goal{{writesPerStep, 2}, {eventsPerStep, 1}, {readsPerStep, 0}},
		},
		{
			key: "one", title: "one flow of 5 steps, nothing else in the cluster", flows: many(1, diamond),
			goals: []goal{{addedP50, 5}, {addedP99, 50}, {readsPerStep, 0}},
		},
		// What these two fill the cluster with stays in it.
		{
			key: "g", title: "the same next to 50,000 Jobs of others", flows: many(1, diamond), base: "one",
			before: &population{foreignJobs: 50_000},
			goals:  []goal{{addedP50, 5}, {addedP99, 50}, {readsPerStep, 0}, {moreRSS, 5}, {moreP50, 2}},
		},
		{
			key: "f", title: "the same after 10,000 finished flows", flows: many(1, diamond), base: "one",
			before: &population{finishedFlows: 10_000},
			goals:  []goal{{addedP50, 5}, {addedP99, 50}, {readsPerStep, 0}, {peakRSS, 150}},
		},
	}
}

// ordinary are the goals of a workload that is bound by the Job controller, and mean
// those of all such workloads together. Of requests the mean counts: a chain of n steps has n+1 moments
// that are worth a write, and a wide graph far fewer.
var (
	ordinary = []goal{{addedP50, 5}, {addedP99, 50}, {wallRatio, 1.05}, {readsPerStep, 0}}
	mean     = []goal{{writesPerStep, 2}, {eventsPerStep, 1}}
	meanOf   = []string{"a", "b", "c", "d"}
)

// jobSpec is a Job whose pod ends after podLife, on a simulated node.
func jobSpec() *batchv1.JobSpec {
	return build.JobSpec(func(spec *batchv1.JobSpec) {
		spec.Template.Annotations = map[string]string{"simulated.jobflow/duration": podLife}
		spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(0))
	})
}

func step(name string, dependencies ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: dependencies, JobTemplate: jobSpec()}
}

func onPods(f *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	f.Spec.StartOn = v1alpha1.StartOnPodsSucceeded
	return f
}

func chain(name string, n int) *v1alpha1.JobFlow {
	return layers(name, n, 1)
}

func diamond(name string) *v1alpha1.JobFlow {
	return build.Flow("", name, step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("e", "d"))
}

func fanOut(name string, n int) *v1alpha1.JobFlow {
	f := layers(name, 1, n)
	var all []string
	for i := range f.Spec.Flows {
		all = append(all, f.Spec.Flows[i].Name)
	}
	f.Spec.Flows = append(f.Spec.Flows, step("join", all...))
	return f
}

// layers has depth layers of width steps. Each step depends on two of the layer
// before, where there are two.
func layers(name string, depth, width int) *v1alpha1.JobFlow {
	f := build.Flow("", name)
	at := func(layer, i int) string { return fmt.Sprintf("s%d-%d", layer, i%width) }
	for layer := range depth {
		for i := range width {
			var dependencies []string
			if layer > 0 {
				dependencies = []string{at(layer-1, i), at(layer-1, i+1)}[:min(2, width)]
			}
			f.Spec.Flows = append(f.Spec.Flows, step(at(layer, i), dependencies...))
		}
	}
	return f
}

func many(n int, of func(name string) *v1alpha1.JobFlow) []*v1alpha1.JobFlow {
	flows := make([]*v1alpha1.JobFlow, n)
	for i := range flows {
		flows[i] = of(fmt.Sprintf("flow-%d", i))
	}
	return flows
}
