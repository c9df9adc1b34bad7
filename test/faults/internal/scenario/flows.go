package scenario

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// ofFlows are the scenarios of JobFlows.
var ofFlows = []Scenario{
	{
		Name:    "chain",
		Objects: flow(step("a"), step("b").after("a"), step("c").after("b")),
		Want:    "Succeed: a Succeeded, b Succeeded, c Succeeded; Jobs: a b c",
	},
	{
		Name:    "diamond",
		Objects: flow(step("a"), step("b").after("a"), step("c").after("a"), step("d").after("b", "c")),
		Want:    "Succeed: a Succeeded, b Succeeded, c Succeeded, d Succeeded; Jobs: a b c d",
	},
	{
		Name: "fan-out and join",
		Objects: flow(step("a"), step("b1").after("a"), step("b2").after("a"), step("b3").after("a"), step("b4").after("a"),
			step("c").after("b1", "b2", "b3", "b4")),
		Want: "Succeed: a Succeeded, b1 Succeeded, b2 Succeeded, b3 Succeeded, b4 Succeeded, c Succeeded; Jobs: a b1 b2 b3 b4 c",
	},
	{
		Name: "failing step",
		Objects: flow(step("a"), step("b").after("a").fails().held(), step("c").after("b"),
			step("x").after("a").held(), step("y").after("x")),
		Script: []Move{
			{both(running("b"), running("x")), release("b")},
			{failed("b"), release("x")},
		},
		Want: "Failed: a Succeeded, b Failed/BackoffLimitExceeded, c Skipped/DependencyFailed, x Succeeded, y Skipped/FlowFailed; " +
			"Jobs: a b x",
	},
	{
		Name:    "parallelism",
		Objects: with(func(f *v1alpha1.JobFlow) { f.Spec.Parallelism = ptr.To[int32](2) }, step("a"), step("b"), step("c"), step("d"), step("e").after("a")),
		Want:    "Succeed: a Succeeded, b Succeeded, c Succeeded, d Succeeded, e Succeeded; Jobs: a b c d e",
	},
	{
		Name: "shared volumes and global parameters",
		Objects: with(func(f *v1alpha1.JobFlow) {
			f.Spec.GlobalParams = &v1alpha1.GlobalParams{NodeName: "some-node", CommonParams: v1alpha1.CommonParams{
				Env: []corev1.EnvVar{{Name: "STAGE", Value: "test"}}, Labels: map[string]string{"team": "x"}, Annotations: map[string]string{"note": "y"},
			}}
			f.Spec.ShareVolumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		}, step("a").mountsData().twoCompletions(), step("b").after("a").mountsData()),
		Want: "Succeed: a Succeeded, b Succeeded; Jobs: a b",
	},
	{
		Name:    "step from a JobTemplate",
		Objects: and(flow(step("a").fromTemplate(), step("b").after("a").fromTemplate()), template),
		Want:    "Succeed: a Succeeded, b Succeeded; Jobs: a b",
	},
	{
		Name:    "JobTemplate that comes late",
		Objects: flow(step("a"), step("b").after("a").fromTemplate()),
		Script:  []Move{{recorded("b", v1alpha1.PhaseWaiting, v1alpha1.ReasonJobTemplateMissing), create(jobTemplate)}},
		Want:    "Succeed: a Succeeded, b Succeeded; Jobs: a b",
	},
	{
		Name:    "JobTemplate edited and deleted in the middle",
		Objects: and(flow(step("a").fromTemplate(), step("b").after("a").fromTemplate(), step("c").after("b").fromTemplate()), heldTemplate),
		Script: []Move{
			{running("a"), editTemplate(func(t *v1alpha1.JobTemplate) { t.Spec.JobTemplate.BackoffLimit = ptr.To[int32](3) })},
			{running("a"), deleteTemplate},
			{running("a"), release("a", "b", "c")},
			// Where the operator learns of the deletion late, b starts.
			{either(recorded("b", v1alpha1.PhaseWaiting, v1alpha1.ReasonJobTemplateMissing), created("b")), create(jobTemplate)},
		},
		Want: "Succeed: a Succeeded, b Succeeded, c Succeeded; Jobs: a b c",
	},
	{
		Name:    "suspended and resumed",
		Objects: flow(step("a").held(), step("b").after("a")),
		Script: []Move{
			{running("a"), editFlow(func(f *v1alpha1.JobFlow) { f.Spec.Suspend = ptr.To(true) })},
			{both(state(v1alpha1.StateSuspended), jobIs("a", suspended)), editFlow(func(f *v1alpha1.JobFlow) { f.Spec.Suspend = ptr.To(false) })},
			{jobIs("a", resumed), release("a")},
		},
		Want: "Succeed: a Succeeded, b Succeeded; Jobs: a b",
	},
	{
		Name:    "created suspended",
		Objects: with(func(f *v1alpha1.JobFlow) { f.Spec.Suspend = ptr.To(true) }, step("a"), step("b").after("a")),
		Script:  []Move{{state(v1alpha1.StateSuspended), editFlow(func(f *v1alpha1.JobFlow) { f.Spec.Suspend = nil })}},
		Want:    "Succeed: a Succeeded, b Succeeded; Jobs: a b",
	},
	{
		Name:    "deadline",
		Objects: with(func(f *v1alpha1.JobFlow) { f.Spec.ActiveDeadlineSeconds = ptr.To[int64](3600) }, step("a").held(), step("b").after("a")),
		Script:  []Move{{running("a"), editFlow(func(f *v1alpha1.JobFlow) { f.Spec.ActiveDeadlineSeconds = ptr.To[int64](1) })}},
		Want:    "Failed: a Failed/DeadlineExceeded, b Skipped/DeadlineExceeded; Jobs: a",
		Timed:   true,
	},
	{
		Name:    "deadline while a Job is queued",
		Objects: with(func(f *v1alpha1.JobFlow) { f.Spec.ActiveDeadlineSeconds = ptr.To[int64](3600) }, step("a").queued(), step("b").after("a")),
		Script: []Move{{recorded("a", v1alpha1.PhaseWaiting, v1alpha1.ReasonQueued),
			editFlow(func(f *v1alpha1.JobFlow) { f.Spec.ActiveDeadlineSeconds = ptr.To[int64](1) })}},
		Want:  "Failed: a Failed/DeadlineExceeded, b Skipped/DeadlineExceeded; Jobs: none",
		Timed: true,
	},
	{
		Name:    "queued Job that is let go",
		Objects: flow(step("a").queued(), step("b").after("a")),
		Script:  []Move{{recorded("a", v1alpha1.PhaseWaiting, v1alpha1.ReasonQueued), editJob("a", func(job *batchv1.Job) { suspend(job, false) })}},
		Want:    "Succeed: a Succeeded, b Succeeded; Jobs: a b",
	},
	{
		Name:    "steps with a TTL",
		Objects: flow(step("a").goesAtOnce(), step("b").after("a").goesAtOnce(), step("c").after("b")),
		Want:    "Succeed: a Succeeded, b Succeeded, c Succeeded; Jobs: c",
	},
	{
		Name:    "flow with a TTL",
		Objects: with(func(f *v1alpha1.JobFlow) { f.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }, step("a"), step("b").after("a").goesAtOnce()),
		Want:    gone,
		Timed:   true,
	},
	{
		Name:    "name taken by a foreign Job",
		Objects: and(flow(step("a"), step("b").after("a")), foreignJob),
		Script:  []Move{{recorded("b", v1alpha1.PhaseWaiting, v1alpha1.ReasonNameConflict), all(deleteJob("b"), editFlow(touch))}},
		Want:    "Succeed: a Succeeded, b Succeeded; Jobs: a b",
	},
	{
		Name:     "invalid spec",
		Objects:  flow(step("a").after("b"), step("b").after("a")),
		Want:     "Failed; Jobs: none",
		JobsOnly: true,
	},
	{
		Name:    "Job that the API server refuses",
		Objects: flow(step("a"), step("b").after("a").refused(), step("c").after("b")),
		Want:    "Failed: a Succeeded, b Failed/JobRejected, c Skipped/DependencyFailed; Jobs: a",
	},
	{
		Name:    "deleted in the middle",
		Objects: flow(step("a").held(), step("b"), step("c").after("a", "b")),
		Script:  []Move{{both(running("a"), recorded("b", v1alpha1.PhaseSucceeded, "")), deleteFlow}},
		Want:    gone,
	},
	{
		Name:    "deleted in the middle, with a finalizer",
		Objects: with(func(f *v1alpha1.JobFlow) { f.Finalizers = []string{"faults/hold"} }, step("a").held(), step("b").after("a")),
		Script: []Move{
			{running("a"), deleteFlow},
			{state(v1alpha1.StateTerminating), release("a")},
			{either(jobIs("a", completed), missing("a")), editFlow(func(f *v1alpha1.JobFlow) { f.Finalizers = nil })},
		},
		Want: gone,
	},
	{
		Name:    "Job deleted while it runs",
		Objects: flow(step("a").held(), step("b").after("a")),
		Script:  []Move{{running("a"), deleteJob("a")}},
		Want:    "Failed: a Failed/JobDeleted, b Skipped/DependencyFailed; Jobs: none",
	},
	{
		Name:    "Job deleted once its result is recorded",
		Objects: flow(step("a"), step("b").after("a").held(), step("c").after("b")),
		Script: []Move{
			{both(recorded("a", v1alpha1.PhaseSucceeded, ""), running("b")), deleteJob("a")},
			{missing("a"), release("b")},
		},
		Want: "Succeed: a Succeeded, b Succeeded, c Succeeded; Jobs: b c",
	},
}

func completed(job *batchv1.Job) bool { return flows.JobIs(job, batchv1.JobComplete) }

// stepBuilder makes a step of a JobFlow.
type stepBuilder struct{ v1alpha1.FlowStep }

func step(name string) *stepBuilder {
	return &stepBuilder{v1alpha1.FlowStep{Name: name, JobTemplate: ptr.To(jobSpec())}}
}

func jobSpec() batchv1.JobSpec {
	return *build.JobSpec(func(spec *batchv1.JobSpec) { spec.Template.Annotations = map[string]string{} })
}

func (b *stepBuilder) after(steps ...string) *stepBuilder { b.Dependencies = steps; return b }

func (b *stepBuilder) fromTemplate() *stepBuilder {
	b.JobTemplate, b.JobTemplateRef = nil, templateName
	return b
}

func (b *stepBuilder) held() *stepBuilder {
	b.JobTemplate.Template.Annotations[harness.HoldAnnotation] = "true"
	return b
}

func (b *stepBuilder) fails() *stepBuilder {
	b.JobTemplate.Template.Annotations[harness.FailAnnotation] = b.Name
	return b
}

func (b *stepBuilder) mountsData() *stepBuilder {
	b.ShareVolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	return b
}

func (b *stepBuilder) twoCompletions() *stepBuilder {
	b.JobTemplate.Completions = ptr.To[int32](2)
	return b
}

func (b *stepBuilder) goesAtOnce() *stepBuilder {
	b.JobTemplate.TTLSecondsAfterFinished = ptr.To[int32](0)
	return b
}

func (b *stepBuilder) queued() *stepBuilder { b.JobTemplate.Suspend = ptr.To(true); return b }

// refused gives the step a Job that no rule of ours is about, but the API server's is.
func (b *stepBuilder) refused() *stepBuilder {
	b.JobTemplate.Template.Spec.Hostname = "not a name"
	return b
}

type objects = func(*World) []client.Object

// flow is a JobFlow of steps.
func flow(steps ...*stepBuilder) objects { return with(func(*v1alpha1.JobFlow) {}, steps...) }

// with is a JobFlow of steps that is changed before it is created.
func with(change func(*v1alpha1.JobFlow), steps ...*stepBuilder) objects {
	return func(*World) []client.Object {
		made := &v1alpha1.JobFlow{}
		made.Name = flowName
		for _, s := range steps {
			made.Spec.Flows = append(made.Spec.Flows, *s.DeepCopy())
		}
		change(made)
		return []client.Object{made}
	}
}

// and has what comes second created first.
func and(last, first objects) objects {
	return func(w *World) []client.Object { return append(first(w), last(w)...) }
}

// templateName is the name of the only JobTemplate.
const templateName = "t"

func template(*World) []client.Object { return []client.Object{jobTemplate()} }

// heldTemplate is one whose Jobs the player holds.
func heldTemplate(*World) []client.Object {
	made := build.JobTemplate("", templateName)
	made.Spec.JobTemplate.Template.Annotations = map[string]string{harness.HoldAnnotation: "true"}
	return []client.Object{made}
}

func jobTemplate() client.Object { return build.JobTemplate("", templateName) }

func editTemplate(change func(*v1alpha1.JobTemplate)) deed {
	return func(ctx context.Context, w *World) error {
		return edit(ctx, w, &v1alpha1.JobTemplate{}, templateName, change)
	}
}

func deleteTemplate(ctx context.Context, w *World) error {
	return w.remove(ctx, &v1alpha1.JobTemplate{}, templateName)
}

// foreignJob belongs to nobody and has the name of the Job of step b. It is suspended so
// that it stays as it is.
func foreignJob(*World) []client.Object {
	job := &batchv1.Job{Spec: jobSpec()}
	job.Name, job.Spec.Suspend, job.Spec.Template.Spec.RestartPolicy = flowName+"-b", ptr.To(true), corev1.RestartPolicyNever
	return []client.Object{job}
}
