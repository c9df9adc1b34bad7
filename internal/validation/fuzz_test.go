package validation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// For any JSON, validation of a JobFlow returns quickly and with a short result, and a
// JobFlow that it accepts can be planned, built and reported.
func FuzzJobFlow(f *testing.F) {
	addSamples(f, "JobFlow")
	for _, spec := range []string{
		`{}`,
		`{"flows":[]}`,
		`{"flows":[{"name":"a"}]}`,
		`{"flows":[{"name":"a","jobTemplateRef":"t"},{"name":"a","jobTemplateRef":"t"}]}`,
		`{"flows":[{"name":"a","dependencies":["b"],"jobTemplateRef":"t"},{"name":"b","dependencies":["a","a","c"],"jobTemplateRef":"t"}]}`,
		`{"flows":[{"name":"a","jobTemplateRef":"t"},{"name":"b","dependencies":["a"],"jobTemplateRef":"t"}],"parallelism":1,"suspend":true,"startOn":"PodsSucceeded"}`,
		`{"flows":[{"name":"a","jobTemplate":` + busyJob + `,"shareVolumeMounts":[{"name":"v","mountPath":"/v","subPath":"../x"}]}],"shareVolumes":[{"name":"v","emptyDir":{}}]}`,
		`{"flows":[{"name":"a","jobTemplate":` + indexedJob + `}],"globalParams":{"nodeName":"n","env":[{"name":"A","value":"1"}],"labels":{"team":"x"},"annotations":{"note":"y"}}}`,
		`{"flows":[{"name":"` + strings.Repeat("ä", 200_000) + `","jobTemplateRef":"` + strings.Repeat("t", 200_000) + `"}]}`,
		`{"flows":[{"name":"a","jobTemplate":` + busyJob + `}],"activeDeadlineSeconds":9223372036854775807,"ttlSecondsAfterFinished":0,"parallelism":-1}`,
	} {
		f.Add([]byte(`{"metadata":{"name":"flow","namespace":"ns"},"spec":` + spec + `}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		flow := &v1alpha1.JobFlow{}
		if !decode(data, flow, &flow.ObjectMeta) {
			return
		}
		errs := validated(t, flow, validation.JobFlow)
		checkWarnings(t, validation.JobFlowWarnings(flow))

		steps := make([]graph.Step, len(flow.Spec.Flows))
		for i := range flow.Spec.Flows {
			steps[i] = graph.Step{Name: flow.Spec.Flows[i].Name, Dependencies: flow.Spec.Flows[i].Dependencies}
		}
		order, problems := graph.New(steps)
		if len(problems) > 0 && len(errs) == 0 {
			t.Fatalf("the graph has problems that validation does not report: %+v", problems)
		}
		if len(errs) > 0 {
			checkStatus(t, *status.Invalid(flow, errs, now).GetSummary())
			return
		}
		checkFlow(t, flow, order)
	})
}

// checkFlow plans a new valid JobFlow, and plans it again once all its JobTemplates exist.
func checkFlow(t *testing.T, flow *v1alpha1.JobFlow, order *graph.Graph) {
	flow.Status = v1alpha1.JobFlowStatus{}
	for _, templates := range []map[string]*batchv1.JobSpec{nil, templatesFor(flow)} {
		before := flow.DeepCopy()
		p := plan.Flow(flow, order, plan.FlowObserved{Templates: templates}, now)
		next := status.Flow(flow, &p, now)
		checkStatus(t, next.Summary)
		if len(next.Flows) != len(flow.Spec.Flows) {
			t.Fatalf("%d entries for %d steps", len(next.Flows), len(flow.Spec.Flows))
		}
		for i := range next.Flows {
			checkRun(t, &next.Flows[i])
		}
		names := sets.New[string]()
		for _, creation := range p.Create {
			checkJob(t, creation.Job)
			if names.Has(creation.Job.Name) && templates == nil {
				t.Fatalf("two steps have the Job %s", creation.Job.Name)
			}
			names.Insert(creation.Job.Name)
		}
		if !equality.Semantic.DeepEqual(before, flow) {
			t.Fatalf("planning changed the JobFlow:\n%s", cmp.Diff(before, flow))
		}
	}
}

// templatesFor has a JobTemplate for every reference.
func templatesFor(flow *v1alpha1.JobFlow) map[string]*batchv1.JobSpec {
	templates := map[string]*batchv1.JobSpec{}
	for i := range flow.Spec.Flows {
		if ref := flow.Spec.Flows[i].JobTemplateRef; ref != "" {
			spec := &batchv1.JobSpec{}
			spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: "busybox:1.28"}}
			templates[ref] = spec
		}
	}
	return templates
}

func FuzzDaemonJob(f *testing.F) {
	addSamples(f, "DaemonJob")
	for _, spec := range []string{
		`{}`,
		strings.TrimSuffix(busyJob, "}") + `,"excludeNodeList":" n0 ,,n1"}`,
		strings.TrimSuffix(busyJob, "}") + `,"excludeNodeList":"n0;n1, N2"}`,
		strings.TrimSuffix(busyJob, "}") + `,"excludeNodeList":"` + strings.Repeat("N ", 120_000) + `"}`,
		strings.TrimSuffix(busyJob, "}") + `,"globalParams":{"labels":{"` + strings.Repeat("k", 200_000) + `":"` + strings.Repeat("v", 200_000) + `"}}}`,
		strings.TrimSuffix(indexedJob, "}") + `,"suspend":true,"globalParams":{"env":[{"name":"A"}]}}`,
		`{"parallelism":-1,"completions":-1,"backoffLimit":-1,"template":{"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i"}]}}}`,
		`{"template":{"spec":{"containers":[{"name":"c","image":"i"}],"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{},{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}]}}}}}}`,
	} {
		f.Add([]byte(`{"metadata":{"name":"daemon","namespace":"ns"},"spec":` + spec + `}`))
	}
	nodes := nodesOf("n0", "n1", "ip-10-0-0-1.ec2.internal", strings.Repeat("n", 253))
	f.Fuzz(func(t *testing.T, data []byte) {
		dj := &v1alpha1.DaemonJob{}
		if !decode(data, dj, &dj.ObjectMeta) {
			return
		}
		errs := validated(t, dj, validation.DaemonJob)
		checkWarnings(t, validation.DaemonJobWarnings(dj))
		if len(errs) > 0 {
			checkStatus(t, *status.Invalid(dj, errs, now).GetSummary())
			return
		}
		dj.Status = v1alpha1.DaemonJobStatus{}
		before := dj.DeepCopy()
		seen := plan.DaemonObserved{Placement: placement.Decide(dj, nodes), Nodes: namesOf(nodes)}
		p := plan.Daemon(dj, seen, now)
		next := status.Daemon(dj, &p, seen.Nodes, now)
		checkStatus(t, next.Summary)
		names := sets.New[string]()
		for _, creation := range p.Create {
			checkJob(t, creation.Job)
			if names.Has(creation.Job.Name) {
				t.Fatalf("two nodes have the Job %s", creation.Job.Name)
			}
			names.Insert(creation.Job.Name)
			if node := p.Runs[creation.Run].Name; placement.Excluded(dj.Spec.ExcludeNodeList).Has(node) {
				t.Fatalf("the excluded node %s gets a Job", node)
			}
		}
		if !equality.Semantic.DeepEqual(before, dj) {
			t.Fatalf("planning changed the DaemonJob:\n%s", cmp.Diff(before, dj))
		}
	})
}

func FuzzJobTemplate(f *testing.F) {
	addSamples(f, "JobTemplate")
	for _, spec := range []string{`{}`, busyJob, indexedJob} {
		f.Add([]byte(`{"metadata":{"name":"template","namespace":"ns"},"spec":{"jobTemplate":` + spec + `}}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		template := &v1alpha1.JobTemplate{}
		if !decode(data, template, &template.ObjectMeta) {
			return
		}
		errs := validated(t, template, validation.JobTemplate)
		checkWarnings(t, validation.JobTemplateWarnings(template))
		if len(errs) > 0 {
			return
		}
		flow := build.Flow("ns", "flow", build.StepFrom("template", "a"))
		flow.UID = "uid"
		order, _ := graph.New([]graph.Step{{Name: "a"}})
		p := plan.Flow(flow, order, plan.FlowObserved{Templates: map[string]*batchv1.JobSpec{"template": &template.Spec.JobTemplate}}, now)
		for _, creation := range p.Create {
			checkJob(t, creation.Job)
		}
		checkStatus(t, status.Flow(flow, &p, now).Summary)
		checkRun(t, &p.Runs[0])
		// The only reason why an accepted JobTemplate may not become a Job is a volume that
		// the JobFlow does not share.
		if len(p.Create) == 0 && !strings.Contains(p.Runs[0].Message, "no volume of this name") {
			t.Fatalf("no Job from an accepted JobTemplate: %s: %s", p.Runs[0].Reason, p.Runs[0].Message)
		}
	})
}

const (
	busyJob    = `{"template":{"spec":{"containers":[{"name":"main","image":"busybox:1.28","command":["true"]}]}}}`
	indexedJob = `{"completionMode":"Indexed","completions":3,"parallelism":2,"backoffLimitPerIndex":1,"maxFailedIndexes":1,` +
		`"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"containerName":"main","operator":"In","values":[3,4]}}]},` +
		`"successPolicy":{"rules":[{"succeededIndexes":"0-1","succeededCount":1}]},"template":{"spec":{"restartPolicy":"OnFailure",` +
		`"initContainers":[{"name":"init","image":"busybox:1.28","volumeMounts":[{"name":"v","mountPath":"/v"}]}],` +
		`"containers":[{"name":"main","image":"busybox:1.28","resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}],"volumes":[{"name":"v","emptyDir":{}}]}}}`
)

// addSamples adds the objects of a kind in config/samples.
func addSamples(f *testing.F, kind string) {
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "samples", "*.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
		for {
			var document json.RawMessage
			if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				f.Fatal(err)
			}
			var typed metav1.TypeMeta
			if json.Unmarshal(document, &typed) == nil && typed.Kind == kind {
				f.Add([]byte(document))
			}
		}
	}
}

// decode reports whether the API server could store such an object. It checks metadata
// before admission.
func decode(data []byte, object any, meta *metav1.ObjectMeta) bool {
	if json.Unmarshal(data, object) != nil {
		return false
	}
	meta.UID = "uid"
	meta.DeletionTimestamp = nil
	return len(utilvalidation.IsDNS1123Subdomain(meta.Name)) == 0 && len(utilvalidation.IsDNS1123Label(meta.Namespace)) == 0
}

const (
	// mostAllocations is far above what any check needs, and takes about a second; the API
	// server waits ten seconds for admission. internal/scale covers loops that do not
	// allocate.
	mostAllocations = 5_000_000
	// longestAnswer bounds the size of all errors of an object together. A Status contains
	// them twice, in its message and in its causes.
	longestAnswer = 256 << 10
)

// validated returns the errors of an object, and checks what must hold for every object.
func validated[T interface {
	*V
	DeepCopy() *V
}, V any](t *testing.T, object T, check func(T) field.ErrorList) field.ErrorList {
	t.Helper()
	before := object.DeepCopy()
	allocated := allocations()
	errs := check(object)
	if count := allocations() - allocated; count > mostAllocations {
		t.Fatalf("the check made %d allocations", count)
	}
	if !equality.Semantic.DeepEqual((*V)(object), before) {
		t.Fatalf("the check changed the object:\n%s", cmp.Diff(before, (*V)(object)))
	}
	texts, size := textsOf(errs), 0
	for i, text := range texts {
		size += len(text)
		if path := errs[i].Field; path != "spec" && !strings.HasPrefix(path, "spec.") {
			t.Fatalf("an error names no field of the spec: %s", text)
		}
	}
	if size > longestAnswer {
		t.Fatalf("%d errors take %d bytes", len(errs), size)
	}
	if again := textsOf(check(object)); !slices.Equal(texts, again) {
		t.Fatalf("validating the same object again gives other errors:\n%s", cmp.Diff(texts, again))
	}
	return errs
}

// allocations returns how many objects this process has allocated.
func allocations() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func textsOf(errs field.ErrorList) []string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return texts
}

// checkWarnings checks the size of all warnings: the API server truncates them at 4,096
// characters.
func checkWarnings(t *testing.T, warnings []string) {
	t.Helper()
	if size := len(strings.Join(warnings, "")); size > 4096 {
		t.Fatalf("%d warnings take %d bytes", len(warnings), size)
	}
}

// checkJob repeats checks of the API server that a Job's metadata must pass.
func checkJob(t *testing.T, job *batchv1.Job) {
	t.Helper()
	if errs := utilvalidation.IsDNS1123Subdomain(job.Name); len(errs) > 0 || len(job.Name) > utilvalidation.LabelValueMaxLength {
		t.Fatalf("the Job's name %q: %v", job.Name, errs)
	}
	for _, labels := range []map[string]string{job.Labels, job.Spec.Template.Labels} {
		for key, value := range labels {
			if errs := append(utilvalidation.IsQualifiedName(key), utilvalidation.IsValidLabelValue(value)...); len(errs) > 0 {
				t.Fatalf("the Job's label %s=%s: %v", key, value, errs)
			}
		}
	}
	if got := job.Spec.Template.Spec.RestartPolicy; got != corev1.RestartPolicyNever {
		t.Fatalf("restartPolicy %q", got)
	}
	if job.Spec.TTLSecondsAfterFinished != nil {
		t.Fatal("the Job has a TTL before its result is recorded")
	}
}

func checkStatus(t *testing.T, s v1alpha1.Summary) {
	t.Helper()
	if s.State == "" || s.Message == "" {
		t.Fatalf("status is empty: state %q, message %q", s.State, s.Message)
	}
	checkMessage(t, s.Message, 1024)
	for i := range s.Conditions {
		checkMessage(t, s.Conditions[i].Message, 1024)
	}
}

func checkRun(t *testing.T, run *v1alpha1.RunStatus) {
	t.Helper()
	checkMessage(t, run.Message, 256)
	if run.Phase == v1alpha1.PhaseWaiting && run.Reason == "" && run.JobUID == "" {
		return // about to be created
	}
	if run.Phase == v1alpha1.PhaseWaiting && run.Message == "" {
		t.Fatalf("step %s waits with reason %q and has no message", run.Name, run.Reason)
	}
}

func checkMessage(t *testing.T, message string, most int) {
	t.Helper()
	if n := len([]rune(message)); n > most || strings.ContainsAny(message, "\n\r") {
		t.Fatalf("a message of %d characters: %q", n, message)
	}
}

func nodesOf(names ...string) []*corev1.Node {
	nodes := make([]*corev1.Node, len(names))
	for i, name := range names {
		nodes[i] = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	}
	return nodes
}

func namesOf(nodes []*corev1.Node) sets.Set[string] {
	names := sets.New[string]()
	for _, node := range nodes {
		names.Insert(node.Name)
	}
	return names
}
