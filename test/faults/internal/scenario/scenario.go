// Package scenario has what the fault tests run: a table of JobFlows and DaemonJobs
// that use every feature, what people do to them in the middle, how they have to end,
// and the invariants that hold however much goes wrong meanwhile.
//
//	flows.go, daemons.go  the scenarios
//	invariants.go         what must hold at the end of each run
//	world.go              a namespace with everything that a run needs
//	run.go                one run of a scenario with something that goes wrong
//	external.go           one run of a scenario with an operator that the caller started
package scenario

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Scenario is one JobFlow or DaemonJob with what happens to it.
type Scenario struct {
	Name string
	// Objects are created in this order at the start.
	Objects func(w *World) []client.Object
	// Nodes exist at the start. They are named without the prefix of the world.
	Nodes []Node
	// Script is what people do, one move after the other.
	Script []Move
	// Want is the outcome, as World.Outcome tells it.
	Want string
	// Attempts are how many Jobs a step or node gets that gets more than one.
	Attempts map[string]int
	// Timed scenarios end by a clock: another time is another end.
	Timed bool
	// JobsOnly is for those where startOn changes nothing.
	JobsOnly bool
}

// Node is a node of a scenario.
type Node struct {
	Name    string
	Tainted bool
}

// Move is something that somebody does once a condition holds.
type Move struct {
	When func(w *World) bool
	Do   func(ctx context.Context, w *World) error
}

// Mode is in which way a scenario is run.
type Mode string

// The modes. A JobFlow is run in both.
const (
	JobComplete   Mode = "JobComplete"
	PodsSucceeded Mode = "PodsSucceeded"
)

// Modes are those in which the scenario makes sense.
func (s *Scenario) Modes() []Mode {
	if s.JobsOnly {
		return []Mode{JobComplete}
	}
	return []Mode{JobComplete, PodsSucceeded}
}

// OnNodes says whether it is about a DaemonJob.
func (s *Scenario) OnNodes() bool {
	return slices.ContainsFunc(ofDaemons, func(d Scenario) bool { return d.Name == s.Name })
}

// UsesJobTemplates says whether a step refers to one.
func (s *Scenario) UsesJobTemplates() bool {
	return slices.ContainsFunc(s.Objects(&World{}), func(object client.Object) bool {
		flow, is := object.(*v1alpha1.JobFlow)
		return is && slices.ContainsFunc(flow.Spec.Flows, func(step v1alpha1.FlowStep) bool { return step.JobTemplateRef != "" })
	})
}

// All are all scenarios.
func All() []Scenario { return slices.Concat(ofFlows, ofDaemons) }
