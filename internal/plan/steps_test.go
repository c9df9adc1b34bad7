package plan_test

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestWhenAStepStarts(t *testing.T) {
	checkFlows(t, map[string]flowCase{
		"steps without dependencies start at once, side by side": {
			flow: newFlow("a", "b").neverStarted(),
			seen: seen(),
			want: outcome{Runs: []string{"a Waiting", "b Waiting"}, Create: []string{"p-a", "p-b"}},
		},
		"a dependency runs": {
			flow: newFlow("a", "b: a").recorded(run("a").running()),
			seen: seen(job("a")),
			want: outcome{Runs: []string{"a Running", "b Waiting Dependency: waits for a"}},
		},
		"a dependency is Complete": {
			flow: newFlow("a", "b: a").recorded(run("a").running()),
			seen: seen(job("a").complete()),
			want: outcome{Runs: []string{"a Succeeded", "b Waiting"}, Create: []string{"p-b"}},
		},
		"a dependency has met its success policy but is not Complete": {
			flow: newFlow("a", "b: a"),
			seen: seen(job("a").ended(batchv1.JobSuccessCriteriaMet, "SuccessPolicy")),
			want: outcome{Runs: []string{"a Running", "b Waiting Dependency: waits for a"}},
		},
		"one of two dependencies is open": {
			flow: newFlow("a", "b", "c: a b").recorded(run("a").succeeded(), run("b").running()),
			seen: seen(job("a").complete(), job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running", "c Waiting Dependency: waits for b"}},
		},
		"more dependencies are open than are named": {
			flow: newFlow("a", "b", "c", "d", "e", "f: a b c d e").recorded(run("a").succeeded()),
			seen: seen(job("b"), job("c"), job("d"), job("e")),
			want: outcome{Runs: []string{
				"a Succeeded", "b Running", "c Running", "d Running", "e Running",
				"f Waiting Dependency: waits for b, c, d and 1 more",
			}},
		},
		"a step that stands before its dependency": {
			flow: newFlow("b: a", "a"),
			seen: seen(),
			want: outcome{Runs: []string{"b Waiting Dependency: waits for a", "a Waiting"}, Create: []string{"p-a"}},
		},
		"a step that has its Job is not created again": {
			flow: newFlow("a"),
			seen: seen(job("a")),
			want: outcome{Runs: []string{"a Running"}},
		},
	})
}

func TestWhatAStepWaitsForInItsDependencies(t *testing.T) {
	certain := func() seenBuilder { return seen(job("a")).certain("a") }
	chain := func() flowBuilder { return newFlow("a", "b: a").recorded(run("a").running()) }
	waits := outcome{Runs: []string{"a Running", "b Waiting Dependency: waits for a"}}
	checkFlows(t, map[string]flowCase{
		"the condition, by default":        {flow: chain(), seen: certain(), want: waits},
		"the condition, as said":           {flow: chain().startOn(v1alpha1.StartOnJobComplete), seen: certain(), want: waits},
		"pods that prove nothing":          {flow: chain().startOn(v1alpha1.StartOnPodsSucceeded), seen: seen(job("a")), want: waits},
		"pods that prove it":               {flow: chain().startOn(v1alpha1.StartOnPodsSucceeded), seen: certain(), want: outcome{Runs: []string{"a Running", "b Waiting"}, Create: []string{"p-b"}}},
		"the condition, where pods do not": {flow: chain().startOn(v1alpha1.StartOnPodsSucceeded), seen: seen(job("a").complete()), want: outcome{Runs: []string{"a Succeeded", "b Waiting"}, Create: []string{"p-b"}}},
		"a Job that is another than the recorded one proves nothing": {
			flow: chain().startOn(v1alpha1.StartOnPodsSucceeded),
			seen: seen(job("a").uid("other")).certain("a"),
			want: outcome{Runs: []string{"a Failed JobDeleted: Job p-a was deleted before it had ended", "b Skipped DependencyFailed: depends on step a, which failed"}},
		},
		"a Job of which nothing runs takes no place under parallelism": {
			flow: chain().startOn(v1alpha1.StartOnPodsSucceeded).parallelism(1),
			seen: certain(),
			want: outcome{Runs: []string{"a Running", "b Waiting"}, Create: []string{"p-b"}},
		},
		"nothing starts while the flow is suspended": {
			flow: chain().startOn(v1alpha1.StartOnPodsSucceeded).suspend(),
			seen: seen(job("a").suspended().annotated(v1alpha1.SuspendedAnnotation, "true")).certain("a"),
			want: outcome{
				Runs:      []string{"a Waiting Suspended: spec.suspend of the JobFlow is true", "b Waiting Suspended: waits for spec.suspend to be false"},
				Suspended: true,
			},
		},
	})
}

// Whether a step starts is this table: the fate is that of the first row of which all
// obstacles are there. The test goes through all combinations of obstacles.
func TestWhenAStepStartsWhateverElseIsTheCase(t *testing.T) {
	type obstacle struct {
		name string
		set  func(flow *flowBuilder, observed *seenBuilder)
	}
	obstacles := []obstacle{
		{"deadline", func(flow *flowBuilder, _ *seenBuilder) { flow.deadline(30) }},
		{"dependency failed", func(flow *flowBuilder, _ *seenBuilder) { flow.Status.Flows[0] = run("before").failed("X").RunStatus }},
		{"other failed", func(flow *flowBuilder, _ *seenBuilder) { flow.Status.Flows[1] = run("other").failed("X").RunStatus }},
		{"suspended", func(flow *flowBuilder, _ *seenBuilder) { flow.suspend() }},
		{"dependency runs", func(flow *flowBuilder, _ *seenBuilder) {
			flow.Spec.Flows[3].Dependencies = append(flow.Spec.Flows[3].Dependencies, "runs")
		}},
		{"no template", func(_ *flowBuilder, observed *seenBuilder) { delete(observed.templates, "t") }},
		{"refused", func(flow *flowBuilder, _ *seenBuilder) {
			flow.Status.Flows[3] = run("step").because(v1alpha1.ReasonCreateFailed).RunStatus
			flow.Status.Flows[3].Message = "over quota"
		}},
		{"no place", func(flow *flowBuilder, _ *seenBuilder) { flow.parallelism(1) }},
	}
	table := []struct {
		obstacles []string
		want      string
	}{
		{[]string{"deadline"}, "step Skipped DeadlineExceeded: the flow's activeDeadlineSeconds passed before the step could start"},
		{[]string{"dependency failed"}, "step Skipped DependencyFailed: depends on step before, which failed"},
		{[]string{"other failed"}, "step Skipped FlowFailed: step other failed before this one could start"},
		{[]string{"suspended"}, "step Waiting Suspended: waits for spec.suspend to be false"},
		{[]string{"dependency runs"}, "step Waiting Dependency: waits for runs"},
		{[]string{"no template"}, `step Waiting JobTemplateMissing: there is no JobTemplate "t" in namespace "ns"; create it and the step starts`},
		{[]string{"refused", "no place"}, "step Waiting CreateFailed: over quota"},
		{[]string{"no place"}, "step Waiting Parallelism: waits until another Job ends: spec.parallelism is 1"},
		{nil, "starts"},
	}
	for combination := range 1 << len(obstacles) {
		flow := newFlow("before", "other", "runs", "step: before").refers().
			recorded(run("before").succeeded(), run("other").succeeded(), run("runs").running(), run("step"))
		observed := seen(job("runs")).template("t")
		there := sets.New[string]()
		for i, o := range obstacles {
			if combination&(1<<i) != 0 {
				o.set(&flow, &observed)
				there.Insert(o.name)
			}
		}
		if there.Has("suspended") {
			there.Delete("deadline") // its clock stands
		}
		p := planFlow(t, flow, observed)
		got := inWords(&p.Runs[3])
		if len(p.Create) == 1 && p.Create[0].Run == 3 {
			got = "starts"
		}
		for _, row := range table {
			if there.HasAll(row.obstacles...) {
				if got != row.want {
					t.Errorf("with %v the step is %q; want %q", sets.List(there), got, row.want)
				}
				break
			}
		}
	}
}

func TestRulesApplyInOrder(t *testing.T) {
	// In each case one rule less holds the step, and the next one decides.
	checkFlows(t, map[string]flowCase{
		"1 suspended": {
			flow: newFlow("a", "b", "c: a").refers().suspend().parallelism(1).recorded(run("b").running()),
			seen: seen(job("b").suspended().annotated(v1alpha1.SuspendedAnnotation, "true")),
			want: outcome{
				Runs: []string{
					"a Waiting Suspended: waits for spec.suspend to be false",
					"b Waiting Suspended: spec.suspend of the JobFlow is true",
					"c Waiting Suspended: waits for spec.suspend to be false",
				},
				Suspended: true,
			},
		},
		"2 dependency": {
			flow: newFlow("b", "c: b").refers().parallelism(1).recorded(run("b").running()),
			seen: seen(job("b")),
			want: outcome{Runs: []string{"b Running", "c Waiting Dependency: waits for b"}},
		},
		"3 JobTemplate": {
			flow: newFlow("a", "b").refers().parallelism(1).recorded(run("b").running()),
			seen: seen(job("b")),
			want: outcome{Runs: []string{
				`a Waiting JobTemplateMissing: there is no JobTemplate "t" in namespace "ns"; create it and the step starts`,
				"b Running",
			}},
		},
		"4 parallelism": {
			flow: newFlow("a", "b").refers().parallelism(1).recorded(run("b").running()),
			seen: seen(job("b")).template("t"),
			want: outcome{Runs: []string{
				"a Waiting Parallelism: waits until another Job ends: spec.parallelism is 1",
				"b Running",
			}},
		},
		"5 none": {
			flow: newFlow("a", "b").refers().parallelism(1).recorded(run("b").running()),
			seen: seen(job("b").complete()).template("t"),
			want: outcome{Runs: []string{"a Waiting", "b Succeeded"}, Create: []string{"p-a"}},
		},
	})
}

func TestJobTemplates(t *testing.T) {
	const missing = `a Waiting JobTemplateMissing: there is no JobTemplate "t" in namespace "ns"; create it and the step starts`
	checkFlows(t, map[string]flowCase{
		"missing: the step waits": {
			flow: newFlow("a").refers(),
			seen: seen().template("other"),
			want: outcome{Runs: []string{missing}},
		},
		"missing: the other steps go on": {
			flow: func() flowBuilder {
				flow := newFlow("a", "b")
				flow.Spec.Flows[0].JobTemplate, flow.Spec.Flows[0].JobTemplateRef = nil, "t"
				return flow
			}(),
			seen: seen(),
			want: outcome{Runs: []string{missing, "b Waiting"}, Create: []string{"p-b"}},
		},
		"it has appeared": {
			flow: newFlow("a").refers().recorded(run("a").because(v1alpha1.ReasonJobTemplateMissing)),
			seen: seen().template("t"),
			want: outcome{Runs: []string{"a Waiting"}, Create: []string{"p-a"}},
		},
		"deleted after the step started: nothing changes": {
			flow: newFlow("a").refers().recorded(run("a").running()),
			seen: seen(job("a")),
			want: outcome{Runs: []string{"a Running"}},
		},
	})
}

func TestJobTemplateThatCannotBeUsed(t *testing.T) {
	flow := newFlow("a").refers().sharesData()

	p := planFlow(t, flow, seen().template("t", "data"))
	if len(p.Create) > 0 {
		t.Errorf("created %s from a JobTemplate that cannot be used", p.Create[0].Job.Name)
	}
	if got := p.Runs[0]; got.Phase != v1alpha1.PhaseWaiting || got.Reason != v1alpha1.ReasonInvalidJobTemplate || got.Message == "" {
		t.Errorf("the step is %q", inWords(&got))
	}

	flow.recorded(runBuilder{p.Runs[0]})
	if p := planFlow(t, flow, seen().template("t")); len(p.Create) != 1 {
		t.Errorf("not created although the JobTemplate is fixed: %q", inWords(&p.Runs[0]))
	}
}

func TestParallelism(t *testing.T) {
	const full2 = "Waiting Parallelism: waits until another Job ends: spec.parallelism is 2"
	const full1 = "Waiting Parallelism: waits until another Job ends: spec.parallelism is 1"
	checkFlows(t, map[string]flowCase{
		"the first in the list start": {
			flow: newFlow("a", "b", "c").parallelism(2),
			seen: seen(),
			want: outcome{Runs: []string{"a Waiting", "b Waiting", "c " + full2}, Create: []string{"p-a", "p-b"}},
		},
		"one ended, one more starts": {
			flow: newFlow("a", "b", "c").parallelism(2),
			seen: seen(job("a").complete(), job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running", "c Waiting"}, Create: []string{"p-c"}},
		},
		"a Job that stands later in the list takes its place first": {
			flow: newFlow("a", "b", "c").parallelism(2),
			seen: seen(job("c")),
			want: outcome{Runs: []string{"a Waiting", "b " + full2, "c Running"}, Create: []string{"p-a"}},
		},
		"a Job that is held up takes a place": {
			flow: newFlow("a", "b").parallelism(1),
			seen: seen(job("a").suspended()),
			want: outcome{Runs: []string{
				"a Waiting Queued: spec.suspend of Job p-a is true; it starts when a queue or a person sets that to false", "b " + full1,
			}},
		},
		"lowered: what runs is left": {
			flow: newFlow("a", "b", "c").parallelism(1).recorded(run("a").running(), run("b").running()),
			seen: seen(job("a"), job("b")),
			want: outcome{Runs: []string{"a Running", "b Running", "c " + full1}},
		},
		"lowered: still none starts when one of two has ended": {
			flow: newFlow("a", "b", "c").parallelism(1).recorded(run("a").running(), run("b").running()),
			seen: seen(job("a").complete(), job("b")),
			want: outcome{Runs: []string{"a Succeeded", "b Running", "c " + full1}},
		},
		"a step whose Job's name is taken does not hold up others": {
			flow: newFlow("a", "b").parallelism(1).recorded(run("a").because(v1alpha1.ReasonNameConflict)),
			seen: seen(),
			want: outcome{Runs: []string{"a Waiting NameConflict", "b Waiting"}, Create: []string{"p-b"}},
		},
		"it is tried when there is a place left": {
			flow: newFlow("a", "b").parallelism(2).recorded(run("a").because(v1alpha1.ReasonNameConflict)),
			seen: seen(),
			want: outcome{Runs: []string{"a Waiting", "b Waiting"}, Create: []string{"p-b", "p-a"}},
		},
		"two such steps do not take turns in status": {
			flow: newFlow("a", "b").parallelism(1).
				recorded(run("a").because(v1alpha1.ReasonNameConflict), run("b").because(v1alpha1.ReasonNameConflict)),
			seen: seen(),
			want: outcome{Runs: []string{"a Waiting", "b Waiting NameConflict"}, Create: []string{"p-a"}},
		},
		"of two such steps the one is tried that has waited longer": {
			flow: newFlow("a", "b").parallelism(1).
				recorded(run("a").because(v1alpha1.ReasonNameConflict), run("b").because(v1alpha1.ReasonCreateFailed)),
			seen: seen().failed("a", v1alpha1.ReasonNameConflict, 1).failed("b", v1alpha1.ReasonCreateFailed, 2),
			want: outcome{Runs: []string{"a Waiting NameConflict", "b Waiting CreateFailed"}, Create: []string{"p-b"}},
		},
		"a step whose Job was refused keeps its place while it is the probe": {
			flow: newFlow("a", "b").parallelism(1).recorded(run("a").because(v1alpha1.ReasonCreateFailed)),
			seen: seen().failed("a", v1alpha1.ReasonCreateFailed, 0),
			want: outcome{Runs: []string{"a Waiting CreateFailed", "b " + full1}, Create: []string{"p-a"}},
		},
		"and does not hold up others after that": {
			flow: newFlow("a", "b").parallelism(1).recorded(run("a").because(v1alpha1.ReasonCreateFailed)),
			seen: seen().failed("a", v1alpha1.ReasonCreateFailed, 1),
			want: outcome{Runs: []string{"a Waiting CreateFailed", "b Waiting"}, Create: []string{"p-b"}},
		},
		"raised": {
			flow: newFlow("a", "b", "c").parallelism(3).recorded(run("a").running(), run("b").because(v1alpha1.ReasonParallelism)),
			seen: seen(job("a")),
			want: outcome{Runs: []string{"a Running", "b Waiting", "c Waiting"}, Create: []string{"p-b", "p-c"}},
		},
	})
}
