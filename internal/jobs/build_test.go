package jobs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// template is a JobSpec with one init container "init" and one container "main",
// changed by the functions.
func template(change ...func(*batchv1.JobSpec)) *batchv1.JobSpec {
	spec := &batchv1.JobSpec{}
	spec.Template.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "busybox:1.28"}}
	spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: "busybox:1.28"}}
	for _, f := range change {
		f(spec)
	}
	return spec
}

func newFlow(change ...func(*v1alpha1.JobFlow)) *v1alpha1.JobFlow {
	flow := &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Name: "flow", Namespace: "ns", UID: "flow-uid"}}
	for _, f := range change {
		f(flow)
	}
	return flow
}

func newDaemonJob(spec *batchv1.JobSpec, change ...func(*v1alpha1.DaemonJob)) *v1alpha1.DaemonJob {
	dj := &v1alpha1.DaemonJob{ObjectMeta: metav1.ObjectMeta{Name: "dj", Namespace: "ns", UID: "dj-uid"}}
	dj.Spec.JobSpec = *spec
	for _, f := range change {
		f(dj)
	}
	return dj
}

func withParams(params v1alpha1.GlobalParams) func(*v1alpha1.JobFlow) {
	return func(flow *v1alpha1.JobFlow) { flow.Spec.GlobalParams = &params }
}

// step returns a step whose template is passed to ForStep.
func step(change ...func(*v1alpha1.FlowStep)) *v1alpha1.FlowStep {
	s := &v1alpha1.FlowStep{Name: "step"}
	for _, f := range change {
		f(s)
	}
	return s
}

func onlyNode(names ...string) *corev1.Affinity {
	term := corev1.NodeSelectorTerm{}
	for _, name := range names {
		term.MatchFields = append(term.MatchFields, isNode(name))
	}
	return required(term)
}

func isNode(name string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{name}}
}

func required(terms ...corev1.NodeSelectorTerm) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
	}}
}

func TestForStepBuildsTheWholeJob(t *testing.T) {
	flow := newFlow(withParams(v1alpha1.GlobalParams{
		NodeName: "minikube",
		CommonParams: v1alpha1.CommonParams{
			Env:         []corev1.EnvVar{{Name: "FOO", Value: "bar"}},
			Labels:      map[string]string{"key1": "value1"},
			Annotations: map[string]string{"key2": "value2"},
		},
	}))
	spec := template(func(s *batchv1.JobSpec) {
		s.Completions = ptr.To[int32](3)
		s.Parallelism = ptr.To[int32](2)
		s.CompletionMode = ptr.To(batchv1.IndexedCompletion)
		s.ActiveDeadlineSeconds = ptr.To[int64](60)
		s.Suspend = new(true)
		s.ManagedBy = new("example.com/controller")
		s.PodReplacementPolicy = ptr.To(batchv1.Failed)
		s.TTLSecondsAfterFinished = ptr.To[int32](100)
		s.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{Action: batchv1.PodFailurePolicyActionFailJob}}}
		s.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededCount: ptr.To[int32](1)}}}
		s.Template.Labels = map[string]string{"app": "mine"}
		s.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
		s.Template.Spec.InitContainers = nil
	})

	got := ForStep(flow, step(func(s *v1alpha1.FlowStep) { s.JobTemplateRef = "shared" }), spec)

	want := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name:      "flow-step",
			Namespace: "ns",
			Labels: map[string]string{
				"key1":                     "value1",
				"api.practice.com/kind":    "JobFlow",
				"api.practice.com/jobflow": "flow",
				"api.practice.com/flow":    "step",
			},
			Annotations: map[string]string{
				"key2":                          "value2",
				"api.practice.com/run":          "step",
				"api.practice.com/job-template": "shared",
				"api.practice.com/ttl-seconds-after-finished": "100",
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "api.practice.com/v1alpha1", Kind: "JobFlow", Name: "flow", UID: "flow-uid",
				Controller: new(true), BlockOwnerDeletion: new(true),
			}},
		},
		Spec: batchv1.JobSpec{
			Completions:           ptr.To[int32](3),
			Parallelism:           ptr.To[int32](2),
			CompletionMode:        ptr.To(batchv1.IndexedCompletion),
			ActiveDeadlineSeconds: ptr.To[int64](60),
			BackoffLimit:          ptr.To[int32](0),
			Suspend:               new(true),
			ManagedBy:             new("example.com/controller"),
			PodReplacementPolicy:  ptr.To(batchv1.Failed),
			PodFailurePolicy:      spec.PodFailurePolicy,
			SuccessPolicy:         spec.SuccessPolicy,
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{
					Labels: map[string]string{
						"app":                      "mine",
						"key1":                     "value1",
						"api.practice.com/kind":    "JobFlow",
						"api.practice.com/jobflow": "flow",
						"api.practice.com/flow":    "step",
					},
					Annotations: map[string]string{"key2": "value2"},
				},
				Spec: corev1.PodSpec{
					RestartPolicy: corev1.RestartPolicyNever,
					Affinity:      onlyNode("minikube"),
					Containers: []corev1.Container{{
						Name: "main", Image: "busybox:1.28", Env: []corev1.EnvVar{{Name: "FOO", Value: "bar"}},
					}},
				},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ForStep() (-want +got):\n%s", diff)
	}
}

func TestForStepWithoutParams(t *testing.T) {
	got := ForStep(newFlow(), step(), template())

	if got.Spec.Template.Spec.Affinity != nil {
		t.Errorf("affinity = %v, want none", got.Spec.Template.Spec.Affinity)
	}
	if got.Spec.TTLSecondsAfterFinished != nil {
		t.Errorf("ttlSecondsAfterFinished = %d, want none", *got.Spec.TTLSecondsAfterFinished)
	}
	want := map[string]string{"api.practice.com/run": "step"}
	if diff := cmp.Diff(want, got.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestForStepLabelsThatAreTooLong(t *testing.T) {
	flow := newFlow(func(f *v1alpha1.JobFlow) { f.Name = strings.Repeat("f", 100) })
	long := step(func(s *v1alpha1.FlowStep) { s.Name = strings.Repeat("s", 100) })

	got := ForStep(flow, long, template())

	want := map[string]string{
		v1alpha1.KindLabel:    "JobFlow",
		v1alpha1.JobFlowLabel: LabelValue(flow.Name),
		v1alpha1.FlowLabel:    LabelValue(long.Name),
	}
	if diff := cmp.Diff(want, got.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if got.Annotations[v1alpha1.RunAnnotation] != long.Name {
		t.Errorf("run annotation = %q, want the full name", got.Annotations[v1alpha1.RunAnnotation])
	}
	if want := Name(flow.Name, long.Name, nil); got.Name != want {
		t.Errorf("name = %q, want %q", got.Name, want)
	}
}

// If a template or parent shared a slice, map or pointer with a Job, a change of the Job
// would change it in the informer's cache.
func TestBuildSharesNothingWithItsInput(t *testing.T) {
	secret := func() *corev1.EnvVarSource {
		return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: "key"}}
	}
	params := v1alpha1.CommonParams{
		Env:         []corev1.EnvVar{{Name: "SECRET", ValueFrom: secret()}},
		Labels:      map[string]string{"a": "b"},
		Annotations: map[string]string{"a": "b"},
	}
	spec := template(func(s *batchv1.JobSpec) {
		s.BackoffLimit = ptr.To[int32](1)
		s.TTLSecondsAfterFinished = ptr.To[int32](1)
		s.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"job-name": "x", "own": "y"}}
		s.Template.Labels = map[string]string{"job-name": "x", "own": "y"}
		s.Template.Annotations = map[string]string{"own": "y"}
		s.Template.Spec.Affinity = required(corev1.NodeSelectorTerm{MatchFields: append(make([]corev1.NodeSelectorRequirement, 0, 4), isNode("n"))})
		s.Template.Spec.Tolerations = []corev1.Toleration{{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](1)}}
		s.Template.Spec.Containers[0].Env = append(make([]corev1.EnvVar, 0, 4), corev1.EnvVar{Name: "OWN"})
		s.Template.Spec.Containers[0].VolumeMounts = append(make([]corev1.VolumeMount, 0, 4), corev1.VolumeMount{Name: "data"})
	})
	flow := newFlow(withParams(v1alpha1.GlobalParams{NodeName: "n", CommonParams: params}), func(f *v1alpha1.JobFlow) {
		f.Spec.ShareVolumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	})
	mounting := step(func(s *v1alpha1.FlowStep) {
		s.ShareVolumeMounts = []corev1.VolumeMount{{Name: "data", MountPropagation: ptr.To(corev1.MountPropagationNone)}}
	})
	dj := newDaemonJob(spec, func(d *v1alpha1.DaemonJob) { d.Spec.GlobalParams = &params })
	flowBefore, stepBefore, specBefore, djBefore := flow.DeepCopy(), mounting.DeepCopy(), spec.DeepCopy(), dj.DeepCopy()

	for _, job := range []*batchv1.Job{ForStep(flow, mounting, spec), ForNode(dj, "n")} {
		pod := &job.Spec.Template.Spec
		job.Labels["a"], job.Annotations["a"] = "changed", "changed"
		job.Spec.Template.Labels["own"], job.Spec.Template.Annotations["own"] = "changed", "changed"
		*job.Spec.BackoffLimit = 9
		pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields[0].Values[0] = "changed"
		for i := range pod.Containers[0].Env {
			pod.Containers[0].Env[i].Name = "changed"
			if from := pod.Containers[0].Env[i].ValueFrom; from != nil {
				from.SecretKeyRef.Key = "changed"
			}
		}
		for i := range pod.Containers[0].VolumeMounts {
			if mount := &pod.Containers[0].VolumeMounts[i]; mount.MountPropagation != nil {
				*mount.MountPropagation = "changed"
			}
		}
		for i := range pod.Volumes {
			pod.Volumes[i].EmptyDir.Medium = "changed"
		}
	}

	for name, diff := range map[string]string{
		"JobFlow":   cmp.Diff(flowBefore, flow),
		"step":      cmp.Diff(stepBefore, mounting),
		"template":  cmp.Diff(specBefore, spec),
		"DaemonJob": cmp.Diff(djBefore, dj),
	} {
		if diff != "" {
			t.Errorf("%s was changed (-before +after):\n%s", name, diff)
		}
	}
	// A slice with spare capacity shows whether an append changed the template.
	if env := spec.Template.Spec.Containers[0].Env; env[:2][1].Name != "" {
		t.Errorf("env of the template was appended to: %v", env[:2])
	}
}

func TestBackoffLimit(t *testing.T) {
	cases := map[string]struct {
		limit, perIndex *int32
		want            *int32
	}{
		"unset":                     {nil, nil, ptr.To[int32](0)},
		"set":                       {ptr.To[int32](3), nil, ptr.To[int32](3)},
		"per index":                 {nil, ptr.To[int32](1), nil},
		"per index and for the Job": {ptr.To[int32](3), ptr.To[int32](1), ptr.To[int32](3)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spec := template(func(s *batchv1.JobSpec) { s.BackoffLimit, s.BackoffLimitPerIndex = c.limit, c.perIndex })
			for kind, job := range map[string]*batchv1.Job{
				"step": ForStep(newFlow(), step(), spec),
				"node": ForNode(newDaemonJob(spec), "n"),
			} {
				if diff := cmp.Diff(c.want, job.Spec.BackoffLimit); diff != "" {
					t.Errorf("%s: backoffLimit (-want +got):\n%s", kind, diff)
				}
			}
		})
	}
}

func TestGeneratedLabelsAndSelectorAreDropped(t *testing.T) {
	pasted := map[string]string{
		"controller-uid": "u", "batch.kubernetes.io/controller-uid": "u",
		"job-name": "n", "batch.kubernetes.io/job-name": "n",
		"own": "label",
	}
	cases := map[string]struct {
		manual       *bool
		selector     *metav1.LabelSelector
		wantSelector *metav1.LabelSelector
		wantLabels   map[string]string
	}{
		"no selector": {
			nil, nil, nil, map[string]string{"own": "label"},
		},
		"generated selector": {
			new(false),
			&metav1.LabelSelector{MatchLabels: map[string]string{"batch.kubernetes.io/controller-uid": "u"}},
			nil,
			map[string]string{"own": "label"},
		},
		"generated selector of an old cluster": {
			nil,
			&metav1.LabelSelector{MatchLabels: map[string]string{"controller-uid": "u"}},
			nil,
			map[string]string{"own": "label"},
		},
		"labels that a user wrote": {
			nil,
			&metav1.LabelSelector{MatchLabels: map[string]string{"own": "label", "job-name": "n"}},
			&metav1.LabelSelector{MatchLabels: map[string]string{"own": "label"}},
			map[string]string{"own": "label"},
		},
		"expressions that a user wrote": {
			nil,
			&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "own", Operator: metav1.LabelSelectorOpExists}}},
			&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "own", Operator: metav1.LabelSelectorOpExists}}},
			map[string]string{"own": "label"},
		},
		"manualSelector": {
			new(true),
			&metav1.LabelSelector{MatchLabels: map[string]string{"job-name": "n"}},
			&metav1.LabelSelector{MatchLabels: map[string]string{"job-name": "n"}},
			pasted,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			job := ForStep(newFlow(), step(), template(func(s *batchv1.JobSpec) {
				s.ManualSelector, s.Selector, s.Template.Labels = c.manual, c.selector, pasted
			}))

			if diff := cmp.Diff(c.wantSelector, job.Spec.Selector); diff != "" {
				t.Errorf("selector (-want +got):\n%s", diff)
			}
			ignoreOurs := cmpopts.IgnoreMapEntries(func(key, _ string) bool { return strings.HasPrefix(key, "api.practice.com/") })
			if diff := cmp.Diff(c.wantLabels, job.Spec.Template.Labels, ignoreOurs); diff != "" {
				t.Errorf("labels of the pods (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNodeNameOfAStep(t *testing.T) {
	cases := map[string]struct {
		global, own  string
		wantNodeName string
		wantAffinity *corev1.Affinity
	}{
		"none":                     {"", "", "", nil},
		"globalParams":             {"node1", "", "", onlyNode("node1")},
		"template":                 {"", "node2", "node2", nil},
		"the step's own node wins": {"node1", "node2", "node2", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			flow := newFlow(withParams(v1alpha1.GlobalParams{NodeName: c.global}))
			job := ForStep(flow, step(), template(func(s *batchv1.JobSpec) { s.Template.Spec.NodeName = c.own }))

			if got := job.Spec.Template.Spec.NodeName; got != c.wantNodeName {
				t.Errorf("nodeName = %q, want %q", got, c.wantNodeName)
			}
			if diff := cmp.Diff(c.wantAffinity, job.Spec.Template.Spec.Affinity); diff != "" {
				t.Errorf("affinity (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForNodeBuildsTheWholeJob(t *testing.T) {
	spec := template(func(s *batchv1.JobSpec) {
		s.Parallelism = ptr.To[int32](2)
		s.ActiveDeadlineSeconds = ptr.To[int64](30)
		s.BackoffLimit = ptr.To[int32](4)
		s.TTLSecondsAfterFinished = ptr.To[int32](60)
		s.Suspend = new(true)
		s.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
		s.Template.Spec.InitContainers = nil
	})
	dj := newDaemonJob(spec, func(d *v1alpha1.DaemonJob) {
		d.Spec.ExcludeNodeList = "node1"
		d.Spec.GlobalParams = &v1alpha1.CommonParams{
			Env:         []corev1.EnvVar{{Name: "FOO", Value: "bar"}},
			Labels:      map[string]string{"key1": "value1"},
			Annotations: map[string]string{"key2": "value2"},
		}
	})

	got := ForNode(dj, "ip-10-0-0-1.ec2.internal")

	own := map[string]string{
		"key1":                       "value1",
		"api.practice.com/kind":      "DaemonJob",
		"api.practice.com/daemonjob": "dj",
		"api.practice.com/node":      "ip-10-0-0-1.ec2.internal",
	}
	want := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name:      "dj-ip-10-0-0-1.ec2.internal",
			Namespace: "ns",
			Labels:    own,
			Annotations: map[string]string{
				"key2":                      "value2",
				"api.practice.com/run":      "ip-10-0-0-1.ec2.internal",
				"api.practice.com/settings": "parallelism=2,activeDeadlineSeconds=30,backoffLimit=4,ttlSecondsAfterFinished=60",
				"api.practice.com/ttl-seconds-after-finished": "60",
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "api.practice.com/v1alpha1", Kind: "DaemonJob", Name: "dj", UID: types.UID("dj-uid"),
				Controller: new(true), BlockOwnerDeletion: new(true),
			}},
		},
		Spec: batchv1.JobSpec{
			Parallelism:           ptr.To[int32](2),
			ActiveDeadlineSeconds: ptr.To[int64](30),
			BackoffLimit:          ptr.To[int32](4),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: own, Annotations: map[string]string{"key2": "value2"}},
				Spec: corev1.PodSpec{
					RestartPolicy: corev1.RestartPolicyNever,
					Affinity:      onlyNode("ip-10-0-0-1.ec2.internal"),
					Tolerations:   daemonTolerations,
					Containers: []corev1.Container{{
						Name: "main", Image: "busybox:1.28", Env: []corev1.EnvVar{{Name: "FOO", Value: "bar"}},
					}},
				},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ForNode() (-want +got):\n%s", diff)
	}
}

func TestForNodeTurnsNodeNameIntoAffinity(t *testing.T) {
	dj := newDaemonJob(template(func(s *batchv1.JobSpec) { s.Template.Spec.NodeName = "node1" }))

	pod := ForNode(dj, "node1").Spec.Template.Spec

	if pod.NodeName != "" {
		t.Errorf("nodeName = %q, which bypasses the scheduler", pod.NodeName)
	}
	if diff := cmp.Diff(onlyNode("node1"), pod.Affinity); diff != "" {
		t.Errorf("affinity (-want +got):\n%s", diff)
	}
}

// Placement decides by the result of DaemonPodSpec, so the Job must be built from the same.
func TestDaemonPodSpecIsThePodThatIsBuilt(t *testing.T) {
	dj := newDaemonJob(template(func(s *batchv1.JobSpec) {
		s.Template.Spec.NodeName = "node1"
		s.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		s.Template.Spec.HostNetwork = true
	}))

	judged, built := DaemonPodSpec(dj), ForNode(dj, "node1").Spec.Template.Spec

	ignore := cmpopts.IgnoreFields(corev1.PodSpec{}, "RestartPolicy")
	if diff := cmp.Diff(judged, built, ignore); diff != "" {
		t.Errorf("pod (-judged +built):\n%s", diff)
	}
}
