package validation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

func indexedOf(completions int32, change func(*batchv1.JobSpec)) func(*batchv1.JobSpec) {
	return func(s *batchv1.JobSpec) {
		s.CompletionMode = ptr.To(batchv1.IndexedCompletion)
		s.Completions = &completions
		change(s)
	}
}

func failureRule(rule batchv1.PodFailurePolicyRule) func(*batchv1.JobSpec) {
	return func(s *batchv1.JobSpec) {
		s.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{rule}}
	}
}

func exitRule(on batchv1.PodFailurePolicyOnExitCodesRequirement) func(*batchv1.JobSpec) {
	return failureRule(batchv1.PodFailurePolicyRule{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &on})
}

func withSuccessRule(rule batchv1.SuccessPolicyRule) func(*batchv1.JobSpec) {
	return indexedOf(3, func(s *batchv1.JobSpec) {
		s.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{rule}}
	})
}

func TestJobSpec(t *testing.T) {
	type change = func(*batchv1.JobSpec)
	main := func(f func(*corev1.Container)) change {
		return func(s *batchv1.JobSpec) { f(&s.Template.Spec.Containers[0]) }
	}
	quantity := func(name corev1.ResourceName, value string) corev1.ResourceList {
		return corev1.ResourceList{name: resource.MustParse(value)}
	}
	in, notIn := batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn
	cases := map[string]struct {
		change change
		want   []string
	}{
		"valid":              {func(*batchv1.JobSpec) {}, nil},
		"any restart policy": {func(s *batchv1.JobSpec) { s.Template.Spec.RestartPolicy = "OnFailure" }, nil},
		"zeros": {func(s *batchv1.JobSpec) {
			s.Parallelism, s.Completions, s.BackoffLimit, s.TTLSecondsAfterFinished = new(int32), new(int32), new(int32), new(int32)
		}, nil},
		"negative parallelism":  {func(s *batchv1.JobSpec) { s.Parallelism = ptr.To[int32](-1) }, []string{"FieldValueInvalid parallelism"}},
		"negative completions":  {func(s *batchv1.JobSpec) { s.Completions = ptr.To[int32](-1) }, []string{"FieldValueInvalid completions"}},
		"negative backoffLimit": {func(s *batchv1.JobSpec) { s.BackoffLimit = ptr.To[int32](-1) }, []string{"FieldValueInvalid backoffLimit"}},
		"negative TTL":          {func(s *batchv1.JobSpec) { s.TTLSecondsAfterFinished = ptr.To[int32](-1) }, []string{"FieldValueInvalid ttlSecondsAfterFinished"}},
		"negative deadline":     {func(s *batchv1.JobSpec) { s.ActiveDeadlineSeconds = ptr.To[int64](-1) }, []string{"FieldValueInvalid activeDeadlineSeconds"}},

		"Indexed": {indexedOf(3, func(*batchv1.JobSpec) {}), nil},
		"Indexed without completions": {
			func(s *batchv1.JobSpec) { s.CompletionMode = ptr.To(batchv1.IndexedCompletion) },
			[]string{"FieldValueRequired completions"},
		},
		"unknown completion mode": {
			func(s *batchv1.JobSpec) { s.CompletionMode = ptr.To(batchv1.CompletionMode("Other")) },
			[]string{"FieldValueNotSupported completionMode"},
		},
		"backoffLimitPerIndex without Indexed": {
			func(s *batchv1.JobSpec) { s.BackoffLimitPerIndex = ptr.To[int32](1) },
			[]string{"FieldValueForbidden backoffLimitPerIndex"},
		},
		"maxFailedIndexes without backoffLimitPerIndex": {
			indexedOf(3, func(s *batchv1.JobSpec) { s.MaxFailedIndexes = ptr.To[int32](1) }),
			[]string{"FieldValueRequired backoffLimitPerIndex"},
		},
		"more maxFailedIndexes than completions": {
			indexedOf(3, func(s *batchv1.JobSpec) {
				s.BackoffLimitPerIndex, s.MaxFailedIndexes = ptr.To[int32](1), ptr.To[int32](4)
			}),
			[]string{"FieldValueInvalid maxFailedIndexes"},
		},
		"very many indexes at once": {
			indexedOf(200_000, func(s *batchv1.JobSpec) { s.Parallelism = ptr.To[int32](100_001) }),
			[]string{"FieldValueInvalid parallelism"},
		},
		"very many indexes with a limit each": {
			indexedOf(200_000, func(s *batchv1.JobSpec) {
				s.BackoffLimitPerIndex, s.Parallelism = ptr.To[int32](1), ptr.To[int32](20_000)
			}),
			[]string{"FieldValueRequired maxFailedIndexes", "FieldValueInvalid parallelism"},
		},

		"failure policy by exit code": {exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{ContainerName: ptr.To("main"), Operator: in, Values: []int32{1, 42}}), nil},
		"failure policy by condition": {failureRule(batchv1.PodFailurePolicyRule{Action: "Ignore", OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget}}}), nil},
		"failure policy of nothing":   {failureRule(batchv1.PodFailurePolicyRule{Action: "Ignore"}), []string{"FieldValueInvalid podFailurePolicy.rules[0]"}},
		"failure policy of both": {
			failureRule(batchv1.PodFailurePolicyRule{
				Action:          "Ignore",
				OnExitCodes:     &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: notIn, Values: []int32{0}},
				OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget}},
			}),
			[]string{"FieldValueInvalid podFailurePolicy.rules[0]"},
		},
		"unknown action": {
			failureRule(batchv1.PodFailurePolicyRule{Action: "Retry", OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: "a b", Status: "true"}}}),
			[]string{"FieldValueNotSupported podFailurePolicy.rules[0].action", "FieldValueInvalid podFailurePolicy.rules[0].onPodConditions[0].type", "FieldValueNotSupported podFailurePolicy.rules[0].onPodConditions[0].status"},
		},
		"no action": {
			failureRule(batchv1.PodFailurePolicyRule{OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget}}}),
			[]string{"FieldValueRequired podFailurePolicy.rules[0].action"},
		},
		"FailIndex without backoffLimitPerIndex": {
			failureRule(batchv1.PodFailurePolicyRule{Action: batchv1.PodFailurePolicyActionFailIndex, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget}}}),
			[]string{"FieldValueInvalid podFailurePolicy.rules[0].action"},
		},
		"exit code of an unknown container": {
			exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{ContainerName: ptr.To("other"), Operator: in, Values: []int32{1}}),
			[]string{"FieldValueInvalid podFailurePolicy.rules[0].onExitCodes.containerName"},
		},
		"exit codes by no operator": {
			exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{Values: []int32{1}}),
			[]string{"FieldValueRequired podFailurePolicy.rules[0].onExitCodes.operator"},
		},
		"no exit codes": {
			exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: in}),
			[]string{"FieldValueRequired podFailurePolicy.rules[0].onExitCodes.values"},
		},
		"exit codes out of order": {
			exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: in, Values: []int32{2, 1}}),
			[]string{"FieldValueInvalid podFailurePolicy.rules[0].onExitCodes.values"},
		},
		"exit codes twice": {
			exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: in, Values: []int32{1, 1}}),
			[]string{"FieldValueInvalid podFailurePolicy.rules[0].onExitCodes.values"},
		},
		"success as a failure": {
			exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: in, Values: []int32{0, 1}}),
			[]string{"FieldValueInvalid podFailurePolicy.rules[0].onExitCodes.values"},
		},
		"replacement of terminating pods with a failure policy": {
			func(s *batchv1.JobSpec) {
				exitRule(batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: in, Values: []int32{1}})(s)
				s.PodReplacementPolicy = ptr.To(batchv1.TerminatingOrFailed)
			},
			[]string{"FieldValueInvalid podReplacementPolicy"},
		},
		"unknown replacement policy": {
			func(s *batchv1.JobSpec) { s.PodReplacementPolicy = ptr.To(batchv1.PodReplacementPolicy("Never")) },
			[]string{"FieldValueNotSupported podReplacementPolicy"},
		},

		"success policy":            {withSuccessRule(batchv1.SuccessPolicyRule{SucceededCount: ptr.To[int32](2)}), nil},
		"success policy of nothing": {withSuccessRule(batchv1.SuccessPolicyRule{}), []string{"FieldValueRequired successPolicy.rules[0]"}},
		"more successes than completions": {
			withSuccessRule(batchv1.SuccessPolicyRule{SucceededCount: ptr.To[int32](4)}),
			[]string{"FieldValueInvalid successPolicy.rules[0].succeededCount"},
		},
		"successes that are not listed": {
			withSuccessRule(batchv1.SuccessPolicyRule{SucceededCount: ptr.To[int32](2), SucceededIndexes: ptr.To("1")}),
			[]string{"FieldValueInvalid successPolicy.rules[0].succeededCount"},
		},
		"invalid indexes": {
			withSuccessRule(batchv1.SuccessPolicyRule{SucceededIndexes: ptr.To("one")}),
			[]string{"FieldValueInvalid successPolicy.rules[0].succeededIndexes"},
		},
		"indexes longer than the limit": {
			withSuccessRule(batchv1.SuccessPolicyRule{SucceededIndexes: ptr.To(strings.Repeat("1", 65537))}),
			[]string{"FieldValueTooLong successPolicy.rules[0].succeededIndexes"},
		},
		"success policy without Indexed or rules": {
			func(s *batchv1.JobSpec) { s.SuccessPolicy = &batchv1.SuccessPolicy{} },
			[]string{"FieldValueForbidden successPolicy", "FieldValueRequired successPolicy.rules"},
		},

		"selector": {
			func(s *batchv1.JobSpec) {
				s.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}}
			},
			[]string{"FieldValueForbidden selector"},
		},
		"selector copied from an existing Job": {
			func(s *batchv1.JobSpec) {
				s.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{batchv1.ControllerUidLabel: "a"}}
			},
			nil,
		},
		"manual selector without one": {func(s *batchv1.JobSpec) { s.ManualSelector = ptr.To(true) }, []string{"FieldValueRequired selector"}},
		"managed by another":          {func(s *batchv1.JobSpec) { s.ManagedBy = ptr.To("kueue.x-k8s.io/multikueue") }, nil},
		"managed by a bare word":      {func(s *batchv1.JobSpec) { s.ManagedBy = ptr.To("kueue") }, []string{"FieldValueInvalid managedBy"}},

		"no image":          {main(func(c *corev1.Container) { c.Image = "" }), []string{"FieldValueRequired template.spec.containers[0].image"}},
		"a blank in image":  {main(func(c *corev1.Container) { c.Image = "busybox " }), []string{"FieldValueInvalid template.spec.containers[0].image"}},
		"no container name": {main(func(c *corev1.Container) { c.Name = "" }), []string{"FieldValueRequired template.spec.containers[0].name"}},
		"container twice": {
			func(s *batchv1.JobSpec) {
				s.Template.Spec.InitContainers = []corev1.Container{{Name: "main", Image: "i"}}
			},
			[]string{"FieldValueDuplicate template.spec.containers[0].name"},
		},
		"unknown pull policy": {main(func(c *corev1.Container) { c.ImagePullPolicy = "Sometimes" }), []string{"FieldValueNotSupported template.spec.containers[0].imagePullPolicy"}},
		"env twice":           {main(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "A"}, {Name: "A"}} }), nil},
		"malformed env":       {main(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "A=B"}} }), []string{"FieldValueInvalid template.spec.containers[0].env[0].name"}},
		"request over the limit": {
			main(func(c *corev1.Container) {
				c.Resources = corev1.ResourceRequirements{Requests: quantity("cpu", "2"), Limits: quantity("cpu", "1500m")}
			}),
			[]string{"FieldValueInvalid template.spec.containers[0].resources.requests[cpu]"},
		},
		"negative limit": {
			main(func(c *corev1.Container) { c.Resources.Limits = quantity("memory", "-1") }),
			[]string{"FieldValueInvalid template.spec.containers[0].resources.limits[memory]"},
		},
		"mount of both subPaths": {
			main(func(c *corev1.Container) {
				c.VolumeMounts = []corev1.VolumeMount{{Name: "a", MountPath: "/a", SubPath: "/abs", SubPathExpr: "../up"}}
			}),
			[]string{
				"FieldValueForbidden template.spec.containers[0].volumeMounts[0].subPathExpr",
				"FieldValueInvalid template.spec.containers[0].volumeMounts[0].subPath",
				"FieldValueInvalid template.spec.containers[0].volumeMounts[0].subPathExpr",
			},
		},
		"volume twice":        {func(s *batchv1.JobSpec) { s.Template.Spec.Volumes = []corev1.Volume{{Name: "a"}, {Name: "a"}} }, []string{"FieldValueDuplicate template.spec.volumes[1].name"}},
		"ephemeral container": {func(s *batchv1.JobSpec) { s.Template.Spec.EphemeralContainers = []corev1.EphemeralContainer{{}} }, []string{"FieldValueForbidden template.spec.ephemeralContainers"}},
		"malformed selector":  {func(s *batchv1.JobSpec) { s.Template.Spec.NodeSelector = map[string]string{"a": "b c"} }, []string{"FieldValueInvalid template.spec.nodeSelector[a]"}},
		"malformed account":   {func(s *batchv1.JobSpec) { s.Template.Spec.ServiceAccountName = "A" }, []string{"FieldValueInvalid template.spec.serviceAccountName"}},
		"malformed priority":  {func(s *batchv1.JobSpec) { s.Template.Spec.PriorityClassName = "A" }, []string{"FieldValueInvalid template.spec.priorityClassName"}},
		"negative grace":      {func(s *batchv1.JobSpec) { s.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](-1) }, []string{"FieldValueInvalid template.spec.terminationGracePeriodSeconds"}},
		"pod deadline of 0":   {func(s *batchv1.JobSpec) { s.Template.Spec.ActiveDeadlineSeconds = ptr.To[int64](0) }, []string{"FieldValueInvalid template.spec.activeDeadlineSeconds"}},
		"malformed node":      {func(s *batchv1.JobSpec) { s.Template.Spec.NodeName = "A B" }, []string{"FieldValueInvalid template.spec.nodeName"}},
		"reserved annotation": {
			func(s *batchv1.JobSpec) { s.Template.Annotations = map[string]string{"api.practice.com/run": "x"} },
			[]string{"FieldValueForbidden template.metadata.annotations[api.practice.com/run]"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var root *field.Path
			if diff := cmp.Diff(c.want, fields(validateJobSpec(build.JobSpec(c.change), root))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}
