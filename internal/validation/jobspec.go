package validation

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// Limits of batch/v1.
const (
	mostPolicyRules   = 20
	mostParallelism   = 100_000 // of an Indexed Job
	mostFailedIndexes = 100_000
	manyCompletions   = 100_000
	// With backoffLimitPerIndex and more than manyCompletions, these hold instead.
	mostParallelismOfMany   = 10_000
	mostFailedIndexesOfMany = 10_000
	longestManagedBy        = 63
	longestIndexes          = 64 * 1024
)

// jobSpec checks a native Job spec as the API server would check the Job, as far
// as that is certain and cheap.
func jobSpec(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, count := range []struct {
		name  string
		value *int32
	}{
		{"parallelism", spec.Parallelism},
		{"completions", spec.Completions},
		{"backoffLimit", spec.BackoffLimit},
		{"backoffLimitPerIndex", spec.BackoffLimitPerIndex},
		{"maxFailedIndexes", spec.MaxFailedIndexes},
		{"ttlSecondsAfterFinished", spec.TTLSecondsAfterFinished},
	} {
		errs = append(errs, atLeast(count.value, 0, path.Child(count.name))...)
	}
	errs = append(errs, atLeast(spec.ActiveDeadlineSeconds, 0, path.Child("activeDeadlineSeconds"))...)
	errs = append(errs, indexed(spec, path)...)
	errs = append(errs, podFailurePolicy(spec, path.Child("podFailurePolicy"))...)
	errs = append(errs, successPolicy(spec, path.Child("successPolicy"))...)
	errs = append(errs, podReplacementPolicy(spec, path.Child("podReplacementPolicy"))...)
	errs = append(errs, selector(spec, path)...)
	if by := spec.ManagedBy; by != nil {
		errs = append(errs, validation.IsDomainPrefixedPath(path.Child("managedBy"), *by)...)
		if len(*by) > longestManagedBy {
			errs = append(errs, field.TooLong(path.Child("managedBy"), *by, longestManagedBy))
		}
	}
	return append(errs, podTemplate(&spec.Template, path.Child("template"))...)
}

func isIndexed(spec *batchv1.JobSpec) bool {
	return ptr.Deref(spec.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.IndexedCompletion
}

// indexed checks the completion mode and what goes with it.
func indexed(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := oneOf(ptr.Deref(spec.CompletionMode, ""), path.Child("completionMode"),
		batchv1.NonIndexedCompletion, batchv1.IndexedCompletion)
	perIndex := spec.BackoffLimitPerIndex != nil
	if spec.MaxFailedIndexes != nil && !perIndex {
		errs = append(errs, field.Required(path.Child("backoffLimitPerIndex"), "maxFailedIndexes needs it"))
	}
	if !isIndexed(spec) {
		if perIndex {
			errs = append(errs, field.Forbidden(path.Child("backoffLimitPerIndex"), "needs completionMode: Indexed"))
		}
		return errs
	}
	if spec.Completions == nil {
		return append(errs, field.Required(path.Child("completions"), "completionMode: Indexed needs it"))
	}

	most := int32(mostParallelism)
	failed := min(int32(mostFailedIndexes), *spec.Completions)
	if perIndex && *spec.Completions > manyCompletions {
		most, failed = mostParallelismOfMany, mostFailedIndexesOfMany
		if spec.MaxFailedIndexes == nil {
			errs = append(errs, field.Required(path.Child("maxFailedIndexes"),
				fmt.Sprintf("backoffLimitPerIndex with more than %d completions needs it", manyCompletions)))
		}
	}
	errs = append(errs, atMost(spec.Parallelism, most, path.Child("parallelism"))...)
	return append(errs, atMost(spec.MaxFailedIndexes, failed, path.Child("maxFailedIndexes"))...)
}

func atMost(value *int32, most int32, path *field.Path) field.ErrorList {
	if value == nil || *value <= most {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be %d or less", most))}
}

func podFailurePolicy(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if spec.PodFailurePolicy == nil {
		return nil
	}
	rules := spec.PodFailurePolicy.Rules
	var errs field.ErrorList
	if len(rules) > mostPolicyRules {
		errs = append(errs, field.TooMany(path.Child("rules"), len(rules), mostPolicyRules))
	}
	for i := range rules {
		errs = append(errs, podFailureRule(spec, &rules[i], path.Child("rules").Index(i))...)
	}
	return errs
}

func podFailureRule(spec *batchv1.JobSpec, rule *batchv1.PodFailurePolicyRule, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if rule.Action == "" {
		errs = append(errs, field.Required(path.Child("action"), ""))
	}
	errs = append(errs, oneOf(rule.Action, path.Child("action"),
		batchv1.PodFailurePolicyActionCount, batchv1.PodFailurePolicyActionFailIndex,
		batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionIgnore)...)
	if rule.Action == batchv1.PodFailurePolicyActionFailIndex && spec.BackoffLimitPerIndex == nil {
		errs = append(errs, field.Invalid(path.Child("action"), rule.Action, "needs backoffLimitPerIndex"))
	}
	if (rule.OnExitCodes != nil) == (len(rule.OnPodConditions) > 0) {
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "set exactly one of onExitCodes and onPodConditions"))
	}
	if rule.OnExitCodes != nil {
		errs = append(errs, exitCodes(&spec.Template.Spec, rule.OnExitCodes, path.Child("onExitCodes"))...)
	}
	if len(rule.OnPodConditions) > mostPolicyRules {
		errs = append(errs, field.TooMany(path.Child("onPodConditions"), len(rule.OnPodConditions), mostPolicyRules))
	}
	for i := range rule.OnPodConditions {
		at := path.Child("onPodConditions").Index(i)
		errs = append(errs, required(string(rule.OnPodConditions[i].Type), validation.IsQualifiedName, at.Child("type"))...)
		errs = append(errs, oneOf(rule.OnPodConditions[i].Status, at.Child("status"),
			corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown)...)
	}
	return errs
}

func exitCodes(pod *corev1.PodSpec, on *batchv1.PodFailurePolicyOnExitCodesRequirement, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if name := ptr.Deref(on.ContainerName, ""); on.ContainerName != nil {
		names := sets.New[string]()
		forEachContainer(pod, path, func(c *corev1.Container, _ *field.Path) { names.Insert(c.Name) })
		if !names.Has(name) {
			errs = append(errs, field.Invalid(path.Child("containerName"), name, "the template has no container of this name"))
		}
	}
	if on.Operator == "" {
		errs = append(errs, field.Required(path.Child("operator"), ""))
	}
	errs = append(errs, oneOf(on.Operator, path.Child("operator"),
		batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn)...)
	values := path.Child("values")
	switch {
	case len(on.Values) == 0:
		errs = append(errs, field.Required(values, ""))
	case len(on.Values) > 255:
		errs = append(errs, field.TooMany(values, len(on.Values), 255))
	case !slices.IsSorted(on.Values) || len(sets.New(on.Values...)) != len(on.Values):
		errs = append(errs, field.Invalid(values, on.Values, "must be in ascending order, each once"))
	case on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && slices.Contains(on.Values, 0):
		errs = append(errs, field.Invalid(values, on.Values, "0 is success; it cannot stand with the operator In"))
	}
	return errs
}

func successPolicy(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if spec.SuccessPolicy == nil {
		return nil
	}
	rules := spec.SuccessPolicy.Rules
	var errs field.ErrorList
	if !isIndexed(spec) {
		errs = append(errs, field.Forbidden(path, "needs completionMode: Indexed"))
	}
	switch {
	case len(rules) == 0:
		errs = append(errs, field.Required(path.Child("rules"), "at least one rule"))
	case len(rules) > mostPolicyRules:
		errs = append(errs, field.TooMany(path.Child("rules"), len(rules), mostPolicyRules))
	}
	for i := range rules {
		errs = append(errs, successRule(&rules[i], spec.Completions, path.Child("rules").Index(i))...)
	}
	return errs
}

func successRule(rule *batchv1.SuccessPolicyRule, completions *int32, path *field.Path) field.ErrorList {
	if rule.SucceededCount == nil && rule.SucceededIndexes == nil {
		return field.ErrorList{field.Required(path, "set succeededCount, succeededIndexes or both")}
	}
	count := path.Child("succeededCount")
	errs := atLeast(rule.SucceededCount, 0, count)
	if completions == nil {
		return errs
	}
	errs = append(errs, atMost(rule.SucceededCount, *completions, count)...)
	if rule.SucceededIndexes == nil {
		return errs
	}
	indexes := path.Child("succeededIndexes")
	if len(*rule.SucceededIndexes) > longestIndexes {
		return append(errs, field.TooLong(indexes, "", longestIndexes))
	}
	listed, err := countIndexes(*rule.SucceededIndexes, *completions)
	switch {
	case err != nil:
		errs = append(errs, field.Invalid(indexes, *rule.SucceededIndexes, err.Error()))
	case len(errs) == 0 && int(ptr.Deref(rule.SucceededCount, 0)) > listed:
		errs = append(errs, field.Invalid(count, *rule.SucceededCount, fmt.Sprintf("succeededIndexes has only %d", listed)))
	}
	return errs
}

func podReplacementPolicy(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	policy := ptr.Deref(spec.PodReplacementPolicy, "")
	if policy == batchv1.TerminatingOrFailed && spec.PodFailurePolicy != nil {
		return field.ErrorList{field.Invalid(path, policy, "with podFailurePolicy it can only be Failed")}
	}
	return oneOf(policy, path, batchv1.Failed, batchv1.TerminatingOrFailed)
}

// selector checks that nobody sets a selector by hand without saying so. One that
// was copied from a living Job, with the labels that Kubernetes generates, is left
// out when the Job is built and no error.
func selector(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if ptr.Deref(spec.ManualSelector, false) {
		if spec.Selector == nil {
			return field.ErrorList{field.Required(path.Child("selector"), "manualSelector: true needs it")}
		}
		return nil
	}
	if spec.Selector == nil {
		return nil
	}
	generated := sets.New(batchv1.ControllerUidLabel, batchv1.JobNameLabel, "controller-uid", "job-name")
	own := len(spec.Selector.MatchExpressions) > 0
	for key := range spec.Selector.MatchLabels {
		own = own || !generated.Has(key)
	}
	if own {
		return field.ErrorList{field.Forbidden(path.Child("selector"), "leave it out; Kubernetes makes one for each Job")}
	}
	return nil
}
