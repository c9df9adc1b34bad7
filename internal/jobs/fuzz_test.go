package jobs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Two Jobs of different parents or runs have valid names, which differ if one of them is
// truncated.
func FuzzName(f *testing.F) {
	long := strings.Repeat("a", 60)
	f.Add("flow", "step", "flow", "step", int32(0))
	f.Add("a", "b-c", "a-b", "c", int32(0))
	f.Add(long, "step-1", long, "step-2", int32(0))
	f.Add("dj", "ip-10-0-0-1.ec2.internal", "dj", "ip-10-0-0-1-ec2.internal", int32(2))
	f.Add(long+"-.-", "b", long, "-.-b", int32(1<<31-1))
	f.Fuzz(func(t *testing.T, parent, run, otherParent, otherRun string, completions int32) {
		spec := indexed(completions)
		parent, run, otherParent, otherRun = subdomain(parent), subdomain(run), subdomain(otherParent), subdomain(otherRun)
		name, other := Name(parent, run, spec), Name(otherParent, otherRun, spec)
		for _, n := range []string{name, other, Name(parent, run, nil), Name(otherParent, otherRun, nil)} {
			if errs := validation.IsDNS1123Subdomain(n); len(errs) > 0 || len(n) > maxLength {
				t.Fatalf("the name %q is not valid: %v", n, errs)
			}
		}
		if suffix, ok := hostnameSuffix(spec); ok {
			if errs := validation.IsDNS1123Label(name + suffix); len(errs) > 0 {
				t.Fatalf("the hostname %q is not valid: %v", name+suffix, errs)
			}
		}
		if again := Name(parent, run, spec); again != name {
			t.Fatalf("the same Job is named %q and %q", name, again)
		}
		same := parent == otherParent && run == otherRun
		changed := name != parent+"-"+run || other != otherParent+"-"+otherRun
		if name == other && !same && changed {
			t.Fatalf("%s/%s and %s/%s have the same name %q", parent, run, otherParent, otherRun, name)
		}
	})
}

func FuzzLabelValue(f *testing.F) {
	f.Add("flow", "flow-2")
	f.Add(strings.Repeat("a", 63), strings.Repeat("a", 64))
	f.Add(strings.Repeat("a-.", 30), strings.Repeat("a-.", 31))
	f.Fuzz(func(t *testing.T, name, other string) {
		name, other = subdomain(name), subdomain(other)
		value := LabelValue(name)
		if errs := validation.IsValidLabelValue(value); len(errs) > 0 {
			t.Fatalf("the value %q of %q is not valid: %v", value, name, errs)
		}
		if LabelValue(other) == value && other != name && (len(name) > maxLength || len(other) > maxLength) {
			t.Fatalf("%q and %q have the same value %q", name, other, value)
		}
	})
}

// subdomain turns any string into a valid name, and keeps as much of it as possible.
func subdomain(s string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return 'x'
	}, s)
	parts := strings.Split(name[:min(len(name), validation.DNS1123SubdomainMaxLength)], ".")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], "-")
	}
	name = strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ".")
	if name == "" {
		return "x"
	}
	return name
}

// With any annotation, the Job gets the settings of the spec, and a setting that has not
// changed since it was last applied is not touched.
func FuzzSettings(f *testing.F) {
	f.Add("", int64(-1), int64(-1), int64(-1), int64(-1))
	f.Add("parallelism=2,backoffLimit=0", int64(2), int64(600), int64(0), int64(3600))
	f.Add("parallelism=,=,activeDeadlineSeconds==1,ttlSecondsAfterFinished=x", int64(0), int64(1<<62), int64(1<<31-1), int64(0))
	f.Fuzz(func(t *testing.T, annotation string, parallelism, deadline, backoff, ttl int64) {
		spec := &batchv1.JobSpec{
			Parallelism: optional[int32](parallelism), ActiveDeadlineSeconds: optional[int64](deadline),
			BackoffLimit: optional[int32](backoff), TTLSecondsAfterFinished: optional[int32](ttl),
		}
		line := Settings(spec)
		if got := parseSettings(line); len(got) != strings.Count(line, "=") || Settings(spec.DeepCopy()) != line {
			t.Fatalf("the line %q is read as %v", line, got)
		}

		const byQueue = 77
		job := &batchv1.Job{Spec: batchv1.JobSpec{Parallelism: ptr.To[int32](byQueue)}}
		job.Annotations = map[string]string{v1alpha1.SettingsAnnotation: annotation}
		before := spec.DeepCopy()
		ApplySettings(job, spec)
		if !equality.Semantic.DeepEqual(before, spec) {
			t.Fatalf("the spec was changed:\n%s", cmp.Diff(before, spec))
		}
		if got := job.Annotations[v1alpha1.SettingsAnnotation]; got != line {
			t.Fatalf("the Job's annotation is %q, want %q", got, line)
		}
		was, is := parseSettings(annotation)[parallelismSetting], parseSettings(line)[parallelismSetting]
		if got, want := *job.Spec.Parallelism, ptr.Deref(spec.Parallelism, 1); was != is && got != want || was == is && got != byQueue {
			t.Fatalf("parallelism was carried over as %q and is %q: the Job has %d", was, is, got)
		}
		if seconds, held := TTL(job); held && (spec.TTLSecondsAfterFinished == nil || seconds != *spec.TTLSecondsAfterFinished) {
			t.Fatalf("the TTL of %v became %d", spec.TTLSecondsAfterFinished, seconds)
		}
		once := job.DeepCopy()
		ApplySettings(job, spec)
		if !equality.Semantic.DeepEqual(once, job) {
			t.Fatalf("the second time changes the Job again:\n%s", cmp.Diff(once, job))
		}
	})
}

// optional returns the number, or nil if it is negative.
func optional[T int32 | int64](n int64) *T {
	if n < 0 {
		return nil
	}
	return ptr.To(T(n))
}

// Any annotation is either a valid TTL or none.
func FuzzTTL(f *testing.F) {
	for _, text := range []string{"", "0", "60", "-1", "2147483647", "2147483648", "1e3", " 5", "0x10", "+7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seconds, held := TTL(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.TTLAnnotation: text}}})
		if seconds < 0 || !held && seconds != 0 {
			t.Fatalf("%q is read as %d, %v", text, seconds, held)
		}
	})
}

// A message is one line of valid text that fits into status. If storing changed it, it
// would be written in every pass.
func FuzzClip(f *testing.F) {
	for _, text := range []string{
		"", "node not found", "two\nlines \t and\r\nblanks", strings.Repeat("x", 256), strings.Repeat("é", 257),
		"not UTF-8: \xff\xfe", strings.Repeat("\xf0", 300), "\u2028 and \u0085",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Clip(text)
		switch {
		case !utf8.ValidString(got):
			t.Fatalf("%q became %q, which is not UTF-8", text, got)
		case utf8.RuneCountInString(got) > maxMessage:
			t.Fatalf("%d characters", utf8.RuneCountInString(got))
		case strings.ContainsAny(got, "\n\r\u0085\u2028\u2029"):
			t.Fatalf("%q has more than one line", got)
		case Clip(got) != got:
			t.Fatalf("%q becomes %q the second time", got, Clip(got))
		}
	})
}

// The Job of a step has everything of its template and of globalParams, where the template
// wins. Its inputs are not changed.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{})
	f.Fuzz(rapid.MakeFuzz(merges))
}

// TestMerges does the same with random values when no fuzzer runs.
func TestMerges(t *testing.T) { rapid.Check(t, merges) }

func merges(t *rapid.T) {
	flow, step := drawFlow(t), &v1alpha1.FlowStep{Name: "step"}
	step.ShareVolumeMounts = drawMounts(t, "shared", flow.Spec.ShareVolumes, "/shared")
	template := drawTemplate(t, flow.Spec.ShareVolumes)
	flowBefore, templateBefore := flow.DeepCopy(), template.DeepCopy()

	job := ForStep(flow, step, template)

	if !equality.Semantic.DeepEqual(flow, flowBefore) || !equality.Semantic.DeepEqual(template, templateBefore) {
		t.Fatalf("building changed what it was given:\n%s%s", cmp.Diff(flowBefore, flow), cmp.Diff(templateBefore, template))
	}
	if again := ForStep(flow, step, template); !equality.Semantic.DeepEqual(job, again) {
		t.Fatalf("the second Job differs:\n%s", cmp.Diff(job, again))
	}
	params := flow.Spec.GlobalParams
	checkKeys(t, "label", params.Labels, template.Template.Labels, job.Labels, job.Spec.Template.Labels)
	checkKeys(t, "annotation", params.Annotations, template.Template.Annotations, job.Annotations, job.Spec.Template.Annotations)
	was, is := containersOf(&template.Template.Spec), containersOf(&job.Spec.Template.Spec)
	for i := range was {
		checkEnv(t, params.Env, was[i].Env, is[i].Env)
		if want := slices.Concat(was[i].VolumeMounts, step.ShareVolumeMounts); !equality.Semantic.DeepEqual(want, is[i].VolumeMounts) {
			t.Fatalf("container %s has other mounts:\n%s", is[i].Name, cmp.Diff(want, is[i].VolumeMounts))
		}
	}
	checkVolumes(t, flow.Spec.ShareVolumes, &template.Template.Spec, &job.Spec.Template.Spec)
	checkAffinity(t, params.NodeName, &template.Template.Spec, &job.Spec.Template.Spec)

	// Merging twice gives the same result.
	step.ShareVolumeMounts = nil
	twice := ForStep(flow, step, &job.Spec)
	if !equality.Semantic.DeepEqual(job.Spec.Template, twice.Spec.Template) {
		t.Fatalf("merging what is merged changes it:\n%s", cmp.Diff(job.Spec.Template, twice.Spec.Template))
	}
}

func checkKeys(t *rapid.T, what string, global, template, onJob, onPod map[string]string) {
	for key, value := range template {
		if !ownKeys.Has(key) && onPod[key] != value {
			t.Fatalf("the template's %s %s=%s became %q on the pod", what, key, value, onPod[key])
		}
	}
	for key, value := range global {
		if own, ok := template[key]; ok {
			value = own
		}
		if !ownKeys.Has(key) && (onPod[key] != value || onJob[key] != value) {
			t.Fatalf("the %s %s=%s became %q on the Job and %q on the pod", what, key, value, onJob[key], onPod[key])
		}
	}
	for _, keys := range []map[string]string{onJob, onPod} {
		for key, value := range keys {
			if ownKeys.Has(key) && (value == template[key] || value == global[key]) {
				t.Fatalf("the operator's own %s %s was taken from outside: %q", what, key, value)
			}
		}
	}
}

// checkEnv checks that the container's own variables are unchanged at the end, after those of
// globalParams that it does not have, in their order.
func checkEnv(t *rapid.T, global, own, got []corev1.EnvVar) {
	has := func(list []corev1.EnvVar, name string) bool {
		return slices.ContainsFunc(list, func(v corev1.EnvVar) bool { return v.Name == name })
	}
	want := slices.DeleteFunc(slices.Clone(global), func(v corev1.EnvVar) bool { return has(own, v.Name) })
	if want = append(want, own...); !equality.Semantic.DeepEqual(want, got) {
		t.Fatalf("env:\n%s", cmp.Diff(want, got))
	}
}

// checkVolumes checks that the template's own volumes come first and unchanged, then once
// each shared volume that a container mounts and the template does not have.
func checkVolumes(t *rapid.T, shared []corev1.Volume, template, pod *corev1.PodSpec) {
	if got := pod.Volumes[:len(template.Volumes)]; !equality.Semantic.DeepEqual(template.Volumes, slices.Clone(got)) {
		t.Fatalf("the template's volumes:\n%s", cmp.Diff(template.Volumes, got))
	}
	count := map[string]int{}
	for i := range pod.Volumes {
		count[pod.Volumes[i].Name]++
	}
	mounted := map[string]bool{}
	for _, container := range containersOf(pod) {
		for i := range container.VolumeMounts {
			mounted[container.VolumeMounts[i].Name] = true
		}
	}
	for i := range shared {
		if name := shared[i].Name; (count[name] == 1) != mounted[name] {
			t.Fatalf("the shared volume %s is mounted: %v, and there %d times", name, mounted[name], count[name])
		}
	}
}

// checkAffinity checks that every term that selects nodes keeps its requirements and also
// requires the node.
func checkAffinity(t *rapid.T, node string, template, pod *corev1.PodSpec) {
	if node == "" || template.NodeName != "" {
		if !equality.Semantic.DeepEqual(template.Affinity, pod.Affinity) || template.NodeName != pod.NodeName {
			t.Fatalf("without a node of its own the pod's affinity changed:\n%s", cmp.Diff(template.Affinity, pod.Affinity))
		}
		return
	}
	got := pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	var own []corev1.NodeSelectorTerm
	if a := template.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		own = a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	} else {
		own = []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{}}}
		if len(got) != 1 || len(got[0].MatchFields) != 1 {
			t.Fatalf("the terms %+v", got)
		}
	}
	if len(own) != len(got) {
		t.Fatalf("%d terms became %d", len(own), len(got))
	}
	for i := range got {
		if !equality.Semantic.DeepEqual(own[i].MatchExpressions, got[i].MatchExpressions) {
			t.Fatalf("the expressions of a term:\n%s", cmp.Diff(own[i].MatchExpressions, got[i].MatchExpressions))
		}
		if empty := len(got[i].MatchExpressions)+len(got[i].MatchFields) == 0; empty {
			continue // selects nothing, and still does
		}
		if !slices.ContainsFunc(got[i].MatchFields, func(r corev1.NodeSelectorRequirement) bool {
			return r.Key == metav1.ObjectNameField && r.Operator == corev1.NodeSelectorOpIn && slices.Equal(r.Values, []string{node})
		}) {
			t.Fatalf("the term %+v is not bound to node %s", got[i], node)
		}
	}
}

var (
	drawnKeys  = []string{"app", "team", "tier", v1alpha1.JobFlowLabel, v1alpha1.TTLAnnotation, v1alpha1.SuspendedAnnotation}
	drawnNames = []string{"A", "B", "C", "D"}
)

func drawFlow(t *rapid.T) *v1alpha1.JobFlow {
	flow := &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "flow", UID: "uid"}}
	flow.Spec.GlobalParams = &v1alpha1.GlobalParams{
		NodeName: rapid.SampledFrom([]string{"", "n1"}).Draw(t, "globalParams.nodeName"),
		CommonParams: v1alpha1.CommonParams{
			Env:    drawEnv(t, "globalParams.env", "global"),
			Labels: drawKeys(t, "globalParams.labels"), Annotations: drawKeys(t, "globalParams.annotations"),
		},
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "shareVolumes") {
		flow.Spec.ShareVolumes = append(flow.Spec.ShareVolumes, corev1.Volume{Name: fmt.Sprintf("shared-%d", i)})
	}
	return flow
}

func drawTemplate(t *rapid.T, shared []corev1.Volume) *batchv1.JobSpec {
	template := &batchv1.JobSpec{}
	template.Template.Labels = drawKeys(t, "labels")
	template.Template.Annotations = drawKeys(t, "annotations")
	pod := &template.Template.Spec
	pod.NodeName = rapid.SampledFrom([]string{"", "", "n2"}).Draw(t, "nodeName")
	pod.Affinity = drawAffinity(t)
	for i := range rapid.IntRange(0, 2).Draw(t, "volumes") {
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: fmt.Sprintf("own-%d", i)})
	}
	volumes := slices.Concat(pod.Volumes, shared)
	for i := range rapid.IntRange(0, 2).Draw(t, "init containers") {
		pod.InitContainers = append(pod.InitContainers, drawContainer(t, fmt.Sprintf("init-%d", i), volumes))
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "containers") {
		pod.Containers = append(pod.Containers, drawContainer(t, fmt.Sprintf("main-%d", i), volumes))
	}
	return template
}

func drawContainer(t *rapid.T, name string, volumes []corev1.Volume) corev1.Container {
	return corev1.Container{
		Name: name, Env: drawEnv(t, name+".env", name), VolumeMounts: drawMounts(t, name, volumes, "/"+name),
	}
}

func drawEnv(t *rapid.T, label, value string) []corev1.EnvVar {
	var env []corev1.EnvVar
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(drawnNames), 0, len(drawnNames), rapid.ID).Draw(t, label) {
		env = append(env, corev1.EnvVar{Name: name, Value: value})
	}
	return env
}

func drawKeys(t *rapid.T, label string) map[string]string {
	keys := rapid.MapOf(rapid.SampledFrom(drawnKeys), rapid.SampledFrom([]string{"x", "y"})).Draw(t, label)
	return maps.Clone(keys)
}

func drawMounts(t *rapid.T, label string, volumes []corev1.Volume, path string) []corev1.VolumeMount {
	var mounts []corev1.VolumeMount
	for i := range volumes {
		if rapid.Bool().Draw(t, label+" mounts "+volumes[i].Name) {
			mounts = append(mounts, corev1.VolumeMount{Name: volumes[i].Name, MountPath: fmt.Sprintf("%s/%d", path, i)})
		}
	}
	return mounts
}

func drawAffinity(t *rapid.T) *corev1.Affinity {
	kind := rapid.IntRange(0, 3).Draw(t, "affinity")
	if kind == 0 {
		return nil
	}
	affinity := &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}}
	if kind == 1 {
		return affinity
	}
	affinity.NodeAffinity = &corev1.NodeAffinity{}
	if kind == 2 {
		return affinity
	}
	required := &corev1.NodeSelector{}
	for range rapid.IntRange(0, 3).Draw(t, "terms") {
		term := corev1.NodeSelectorTerm{}
		if rapid.Bool().Draw(t, "expression") {
			term.MatchExpressions = []corev1.NodeSelectorRequirement{{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}}}
		}
		if rapid.Bool().Draw(t, "field") {
			name := rapid.SampledFrom([]string{"n1", "n3"}).Draw(t, "node")
			term.MatchFields = []corev1.NodeSelectorRequirement{{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{name}}}
		}
		required.NodeSelectorTerms = append(required.NodeSelectorTerms, term)
	}
	affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = required
	return affinity
}
