package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// now is the time of every plan here. Flows and Jobs began a minute before.
var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) *metav1.Time { return new(metav1.NewTime(now.Add(-d))) }

// flowBuilder makes a JobFlow named p.
type flowBuilder struct{ *v1alpha1.JobFlow }

// newFlow makes a running flow with these steps, each "name" or "name: dependency dependency".
func newFlow(steps ...string) flowBuilder {
	flow := &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: "p-uid", Generation: 1}}
	for _, step := range steps {
		name, dependencies, _ := strings.Cut(step, ":")
		flow.Spec.Flows = append(flow.Spec.Flows, build.Step(name, strings.Fields(dependencies)...))
	}
	flow.Status.StartTime = ago(time.Minute)
	return flowBuilder{flow}
}

func (b flowBuilder) parallelism(n int32) flowBuilder {
	b.Spec.Parallelism = &n
	return b
}

func (b flowBuilder) startOn(proof v1alpha1.StartOn) flowBuilder {
	b.Spec.StartOn = proof
	return b
}

func (b flowBuilder) suspend() flowBuilder {
	b.Spec.Suspend = new(true)
	return b
}

func (b flowBuilder) deadline(seconds int64) flowBuilder {
	b.Spec.ActiveDeadlineSeconds = &seconds
	return b
}

func (b flowBuilder) ttl(seconds int32) flowBuilder {
	b.Spec.TTLSecondsAfterFinished = &seconds
	return b
}

// refers makes every step of the flow use the JobTemplate t.
func (b flowBuilder) refers() flowBuilder {
	for i := range b.Spec.Flows {
		b.Spec.Flows[i].JobTemplate, b.Spec.Flows[i].JobTemplateRef = nil, "t"
	}
	return b
}

// sharesData makes every step of the flow mount the shared volume data.
func (b flowBuilder) sharesData() flowBuilder {
	b.Spec.ShareVolumes = []corev1.Volume{{Name: "data"}}
	for i := range b.Spec.Flows {
		b.Spec.Flows[i].ShareVolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	}
	return b
}

func (b flowBuilder) neverStarted() flowBuilder {
	b.Status.StartTime = nil
	return b
}

func (b flowBuilder) condition(kind string, status metav1.ConditionStatus, reason string) flowBuilder {
	setCondition(&b.Status.Summary, kind, status, reason)
	return b
}

// ended records an end that was so long ago.
func (b flowBuilder) ended(kind string, since time.Duration) flowBuilder {
	b.Status.CompletionTime = ago(since)
	return b.condition(kind, metav1.ConditionTrue, "Any")
}

func (b flowBuilder) recorded(runs ...runBuilder) flowBuilder {
	for _, run := range runs {
		b.Status.Flows = append(b.Status.Flows, run.RunStatus)
	}
	return b
}

func setCondition(s *v1alpha1.Summary, kind string, status metav1.ConditionStatus, reason string) {
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, LastTransitionTime: *ago(time.Minute)})
}

// daemonBuilder makes a DaemonJob named p.
type daemonBuilder struct{ *v1alpha1.DaemonJob }

func newDaemon() daemonBuilder {
	dj := &v1alpha1.DaemonJob{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: "p-uid", Generation: 1}}
	dj.Spec.JobSpec = *build.JobSpec()
	dj.Status.StartTime = ago(time.Minute)
	return daemonBuilder{dj}
}

func (b daemonBuilder) with(change func(spec *batchv1.JobSpec)) daemonBuilder {
	change(&b.Spec.JobSpec)
	return b
}

func (b daemonBuilder) suspend() daemonBuilder {
	b.Spec.Suspend = new(true)
	return b
}

// is records a condition that is True.
func (b daemonBuilder) is(kind, reason string) daemonBuilder {
	setCondition(&b.Status.Summary, kind, metav1.ConditionTrue, reason)
	return b
}

func (b daemonBuilder) recorded(runs ...runBuilder) daemonBuilder {
	for _, run := range runs {
		b.Status.Nodes = append(b.Status.Nodes, run.RunStatus)
	}
	return b
}

// digested records nodes that Succeeded and are not listed.
func (b daemonBuilder) digested(names ...string) daemonBuilder {
	b.Status.SucceededDigest = plan.Digest(b.Status.SucceededDigest).With(names)
	return b
}

// runBuilder makes the recorded entry of a step or node.
type runBuilder struct{ v1alpha1.RunStatus }

// run is an entry that waits and has no Job.
func run(name string) runBuilder {
	return runBuilder{v1alpha1.RunStatus{Name: name, Phase: v1alpha1.PhaseWaiting}}
}

// withJob gives the entry the Job that job(name) makes.
func (b runBuilder) withJob(phase v1alpha1.Phase) runBuilder {
	b.Phase, b.JobName, b.JobUID, b.Attempt = phase, "p-"+b.Name, "uid-"+b.Name, 1
	b.StartTime = ago(time.Minute)
	return b
}

func (b runBuilder) running() runBuilder { return b.withJob(v1alpha1.PhaseRunning) }

func (b runBuilder) succeeded() runBuilder {
	b = b.withJob(v1alpha1.PhaseSucceeded)
	b.CompletionTime = ago(time.Second)
	return b
}

func (b runBuilder) failed(reason string) runBuilder {
	b = b.withJob(v1alpha1.PhaseFailed)
	b.CompletionTime = ago(time.Second)
	return b.because(reason)
}

func (b runBuilder) skipped(reason string) runBuilder {
	b.Phase = v1alpha1.PhaseSkipped
	return b.because(reason)
}

func (b runBuilder) because(reason string) runBuilder {
	b.Reason = reason
	return b
}

func (b runBuilder) uid(uid string) runBuilder {
	b.JobUID = uid
	return b
}

func (b runBuilder) attempt(n int32) runBuilder {
	b.Attempt = n
	return b
}

// jobBuilder makes the Job of a step or node of p.
type jobBuilder struct {
	run string
	*batchv1.Job
}

func job(run string) jobBuilder {
	return jobBuilder{run, &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: "p-" + run, UID: types.UID("uid-" + run), CreationTimestamp: *ago(time.Minute),
		Labels:      map[string]string{v1alpha1.KindLabel: "JobFlow"},
		Annotations: map[string]string{v1alpha1.RunAnnotation: run},
	}}}
}

func (b jobBuilder) uid(uid types.UID) jobBuilder {
	b.UID = uid
	return b
}

func (b jobBuilder) ended(kind batchv1.JobConditionType, reason string) jobBuilder {
	b.Status.Conditions = append(b.Status.Conditions, batchv1.JobCondition{
		Type: kind, Status: corev1.ConditionTrue, Reason: reason, LastTransitionTime: *ago(time.Second),
	})
	return b
}

func (b jobBuilder) complete() jobBuilder { return b.ended(batchv1.JobComplete, "") }

func (b jobBuilder) failed() jobBuilder { return b.ended(batchv1.JobFailed, "BackoffLimitExceeded") }

func (b jobBuilder) suspended() jobBuilder {
	b.Spec.Suspend = new(true)
	return b
}

func (b jobBuilder) annotated(key, value string) jobBuilder {
	b.Annotations[key] = value
	return b
}

func (b jobBuilder) deleting() jobBuilder {
	b.DeletionTimestamp = ago(time.Second)
	return b
}

func (b jobBuilder) with(change func(job *batchv1.Job)) jobBuilder {
	change(b.Job)
	return b
}

// seenBuilder makes what was observed.
type seenBuilder struct {
	plan.Observed
	templates map[string]*batchv1.JobSpec
	placement []placement.Decision
	nodes     sets.Set[string]
}

func seen(list ...jobBuilder) seenBuilder {
	b := seenBuilder{
		Observed:  plan.Observed{Jobs: map[string]jobs.State{}, Gone: map[string]bool{}, CreateFailures: &plan.CreateFailures{}},
		templates: map[string]*batchv1.JobSpec{},
		nodes:     sets.New[string](),
	}
	for _, j := range list {
		b.Jobs[j.run] = jobs.Observe(j.Job, nil)
	}
	return b
}

// certain are steps whose Jobs' pods prove that they will be Succeeded.
func (b seenBuilder) certain(names ...string) seenBuilder {
	for _, name := range names {
		state := b.Jobs[name]
		state.Certain = true
		b.Jobs[name] = state
	}
	return b
}

// gone are steps or nodes whose recorded Job a live read did not find.
func (b seenBuilder) gone(names ...string) seenBuilder {
	for _, name := range names {
		b.Gone[name] = true
	}
	return b
}

// failed records that a Job could not be created, so many hours ago.
func (b seenBuilder) failed(name, reason string, hours int) seenBuilder {
	b.CreateFailures.Record(name, plan.CreateFailure{Reason: reason, Message: "no"}, now.Add(-time.Duration(hours)*time.Hour))
	return b
}

func (b seenBuilder) template(name string, volumes ...string) seenBuilder {
	spec := build.JobSpec()
	for _, volume := range volumes {
		spec.Template.Spec.Volumes = append(spec.Template.Spec.Volumes, corev1.Volume{Name: volume})
	}
	b.templates[name] = spec
	return b
}

// on adds nodes that a Job may run on.
func (b seenBuilder) on(names ...string) seenBuilder {
	for _, name := range names {
		b.placement = append(b.placement, placement.Decision{Node: name, Run: true})
		b.nodes.Insert(name)
	}
	return b
}

// tainted adds a node that is left out for a taint.
func (b seenBuilder) tainted(name string) seenBuilder {
	b.placement = append(b.placement, placement.Decision{
		Node: name, Reason: v1alpha1.ReasonUntoleratedTaint, Message: "the pod template does not tolerate the taint t:NoSchedule",
	})
	b.nodes.Insert(name)
	return b
}

// unfit adds a node that is excluded or does not match the template.
func (b seenBuilder) unfit(name string) seenBuilder {
	b.nodes.Insert(name)
	return b
}

func (b seenBuilder) forFlow() plan.FlowObserved {
	return plan.FlowObserved{Observed: b.Observed, Templates: b.templates}
}

func (b seenBuilder) forDaemon() plan.DaemonObserved {
	return plan.DaemonObserved{Observed: b.Observed, Placement: b.placement, Nodes: b.nodes}
}

// outcome is a plan in words. Create and Delete are names of Jobs.
type outcome struct {
	Runs, Create, Update, Delete []string

	Ended, Suspended, Expired, DeleteParent bool

	RequeueAfter time.Duration
}

func outcomeOf(t *testing.T, p plan.Plan) outcome {
	t.Helper()
	o := outcome{Ended: p.Ended, Suspended: p.Suspended, Expired: p.Expired, DeleteParent: p.DeleteParent, RequeueAfter: p.RequeueAfter}
	for i := range p.Runs {
		o.Runs = append(o.Runs, inWords(&p.Runs[i]))
	}
	for _, creation := range p.Create {
		o.Create = append(o.Create, creation.Job.Name)
		if want := "p-" + p.Runs[creation.Run].Name; creation.Job.Name != want {
			t.Errorf("Job %s would be created for the entry of %s", creation.Job.Name, want)
		}
	}
	for _, change := range p.Update {
		o.Update = append(o.Update, change.From.Name+": "+changeInWords(t, change))
	}
	for _, doomed := range p.Delete {
		o.Delete = append(o.Delete, doomed.Name)
	}
	return o
}

// inWords is an entry as "name phase reason: message".
func inWords(r *v1alpha1.RunStatus) string {
	words := strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Name, r.Phase, r.Reason))
	if r.Message != "" {
		words += ": " + r.Message
	}
	return words
}

// changeInWords returns what a change sets and removes, and checks that it does nothing else.
func changeInWords(t *testing.T, change plan.Change) string {
	t.Helper()
	var words []string
	from, to := change.From.DeepCopy(), change.To
	number(&words, "suspend", &from.Spec.Suspend, to.Spec.Suspend)
	number(&words, "parallelism", &from.Spec.Parallelism, to.Spec.Parallelism)
	number(&words, "activeDeadlineSeconds", &from.Spec.ActiveDeadlineSeconds, to.Spec.ActiveDeadlineSeconds)
	number(&words, "backoffLimit", &from.Spec.BackoffLimit, to.Spec.BackoffLimit)
	number(&words, "ttl", &from.Spec.TTLSecondsAfterFinished, to.Spec.TTLSecondsAfterFinished)
	for _, key := range slices.Sorted(maps.Keys(to.Annotations)) {
		if value, had := from.Annotations[key]; !had || value != to.Annotations[key] {
			words = append(words, fmt.Sprintf("+%s=%s", short(key), to.Annotations[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(from.Annotations)) {
		if _, has := to.Annotations[key]; !has {
			words = append(words, "-"+short(key))
		}
	}
	from.Annotations = to.Annotations
	if diff := cmp.Diff(from, to); diff != "" {
		t.Errorf("the change of %s does more than it may:\n%s", from.Name, diff)
	}
	return strings.Join(words, " ")
}

func number[T comparable](words *[]string, name string, from **T, to *T) {
	if ptr.Equal(*from, to) {
		return
	}
	*from = to
	value := "nil"
	if to != nil {
		value = fmt.Sprint(*to)
	}
	*words = append(*words, name+"="+value)
}

func short(key string) string { return strings.TrimPrefix(key, "api.practice.com/") }

// flowCase is a JobFlow, what was observed, and the plan that comes of it.
type flowCase struct {
	flow flowBuilder
	seen seenBuilder
	want outcome
}

func checkFlows(t *testing.T, cases map[string]flowCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, outcomeOf(t, planFlow(t, c.flow, c.seen))); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// planFlow plans, and checks that what it was given is as before: it belongs to a
// cache.
func planFlow(t testing.TB, flow flowBuilder, s seenBuilder) plan.Plan {
	t.Helper()
	before, jobsBefore := flow.DeepCopy(), copies(s)
	p := plan.Flow(flow.JobFlow, graphOf(t, flow.JobFlow), s.forFlow(), now)
	if diff := cmp.Diff(before, flow.JobFlow) + cmp.Diff(jobsBefore, copies(s)); diff != "" {
		t.Errorf("the plan changed what it was given:\n%s", diff)
	}
	return p
}

func graphOf(t rapid.TB, flow *v1alpha1.JobFlow) *graph.Graph {
	t.Helper()
	var steps []graph.Step
	for i := range flow.Spec.Flows {
		steps = append(steps, graph.Step{Name: flow.Spec.Flows[i].Name, Dependencies: flow.Spec.Flows[i].Dependencies})
	}
	g, problems := graph.New(steps)
	if len(problems) > 0 {
		t.Fatalf("the steps of the test: %+v", problems)
	}
	return g
}

// daemonCase is a DaemonJob, what was observed, and the plan that comes of it.
type daemonCase struct {
	dj   daemonBuilder
	seen seenBuilder
	want outcome
}

func checkDaemons(t *testing.T, cases map[string]daemonCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, outcomeOf(t, planDaemon(t, c.dj, c.seen))); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func planDaemon(t testing.TB, dj daemonBuilder, s seenBuilder) plan.Plan {
	t.Helper()
	before, jobsBefore := dj.DeepCopy(), copies(s)
	p := plan.Daemon(dj.DaemonJob, s.forDaemon(), now)
	if diff := cmp.Diff(before, dj.DaemonJob) + cmp.Diff(jobsBefore, copies(s)); diff != "" {
		t.Errorf("the plan changed what it was given:\n%s", diff)
	}
	return p
}

func copies(s seenBuilder) map[string]*batchv1.Job {
	all := map[string]*batchv1.Job{}
	for name, state := range s.Jobs {
		all[name] = state.Job.DeepCopy()
	}
	return all
}
