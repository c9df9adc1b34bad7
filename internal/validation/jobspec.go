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

// validateJobSpec repeats those of the API server's checks of a Job that are certain and
// cheap.
func validateJobSpec(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
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
		errs = append(errs, validateMin(count.value, 0, path.Child(count.name))...)
	}
	errs = append(errs, validateMin(spec.ActiveDeadlineSeconds, 0, path.Child("activeDeadlineSeconds"))...)
	errs = append(errs, validateIndexed(spec, path)...)
	errs = append(errs, validatePodFailurePolicy(spec, path.Child("podFailurePolicy"))...)
	errs = append(errs, validateSuccessPolicy(spec, path.Child("successPolicy"))...)
	errs = append(errs, validatePodReplacementPolicy(spec, path.Child("podReplacementPolicy"))...)
	errs = append(errs, validateSelector(spec, path)...)
	if by := spec.ManagedBy; by != nil {
		errs = append(errs, validation.IsDomainPrefixedPath(path.Child("managedBy"), *by)...)
		if len(*by) > longestManagedBy {
			errs = append(errs, field.TooLong(path.Child("managedBy"), *by, longestManagedBy))
		}
	}
	return append(errs, validatePodTemplate(&spec.Template, path.Child("template"))...)
}

func isIndexed(spec *batchv1.JobSpec) bool {
	return ptr.Deref(spec.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.IndexedCompletion
}

// validateIndexed checks the completion mode and the fields that depend on it.
func validateIndexed(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := validateOneOf(ptr.Deref(spec.CompletionMode, ""), path.Child("completionMode"),
		batchv1.NonIndexedCompletion, batchv1.IndexedCompletion)
	perIndex := spec.BackoffLimitPerIndex != nil
	if spec.MaxFailedIndexes != nil && !perIndex {
		errs = append(errs, field.Required(path.Child("backoffLimitPerIndex"), "maxFailedIndexes requires it"))
	}
	if !isIndexed(spec) {
		if perIndex {
			errs = append(errs, field.Forbidden(path.Child("backoffLimitPerIndex"), "requires completionMode: Indexed"))
		}
		return errs
	}
	if spec.Completions == nil {
		return append(errs, field.Required(path.Child("completions"), "completionMode: Indexed requires it"))
	}

	most := int32(mostParallelism)
	failed := min(int32(mostFailedIndexes), *spec.Completions)
	if perIndex && *spec.Completions > manyCompletions {
		most, failed = mostParallelismOfMany, mostFailedIndexesOfMany
		if spec.MaxFailedIndexes == nil {
			errs = append(errs, field.Required(path.Child("maxFailedIndexes"),
				fmt.Sprintf("backoffLimitPerIndex with more than %d completions requires it", manyCompletions)))
		}
	}
	errs = append(errs, validateMax(spec.Parallelism, most, path.Child("parallelism"))...)
	return append(errs, validateMax(spec.MaxFailedIndexes, failed, path.Child("maxFailedIndexes"))...)
}

func validateMax(value *int32, most int32, path *field.Path) field.ErrorList {
	if value == nil || *value <= most {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be %d or less", most))}
}

func validatePodFailurePolicy(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if spec.PodFailurePolicy == nil {
		return nil
	}
	rules := spec.PodFailurePolicy.Rules
	var errs field.ErrorList
	if len(rules) > mostPolicyRules {
		errs = append(errs, field.TooMany(path.Child("rules"), len(rules), mostPolicyRules))
	}
	for i := range rules {
		errs = append(errs, validatePodFailureRule(spec, &rules[i], path.Child("rules").Index(i))...)
	}
	return errs
}

func validatePodFailureRule(spec *batchv1.JobSpec, rule *batchv1.PodFailurePolicyRule, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if rule.Action == "" {
		errs = append(errs, field.Required(path.Child("action"), ""))
	}
	errs = append(errs, validateOneOf(rule.Action, path.Child("action"),
		batchv1.PodFailurePolicyActionCount, batchv1.PodFailurePolicyActionFailIndex,
		batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionIgnore)...)
	if rule.Action == batchv1.PodFailurePolicyActionFailIndex && spec.BackoffLimitPerIndex == nil {
		errs = append(errs, field.Invalid(path.Child("action"), rule.Action, "requires backoffLimitPerIndex"))
	}
	if (rule.OnExitCodes != nil) == (len(rule.OnPodConditions) > 0) {
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "set exactly one of onExitCodes and onPodConditions"))
	}
	if rule.OnExitCodes != nil {
		errs = append(errs, validateExitCodes(&spec.Template.Spec, rule.OnExitCodes, path.Child("onExitCodes"))...)
	}
	if len(rule.OnPodConditions) > mostPolicyRules {
		errs = append(errs, field.TooMany(path.Child("onPodConditions"), len(rule.OnPodConditions), mostPolicyRules))
	}
	for i := range rule.OnPodConditions {
		at := path.Child("onPodConditions").Index(i)
		errs = append(errs, validateRequired(string(rule.OnPodConditions[i].Type), validation.IsQualifiedName, at.Child("type"))...)
		errs = append(errs, validateOneOf(rule.OnPodConditions[i].Status, at.Child("status"),
			corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown)...)
	}
	return errs
}

func validateExitCodes(pod *corev1.PodSpec, on *batchv1.PodFailurePolicyOnExitCodesRequirement, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if name := ptr.Deref(on.ContainerName, ""); on.ContainerName != nil {
		names := sets.New[string]()
		forEachContainer(pod, path, func(c *corev1.Container, _ *field.Path) { names.Insert(c.Name) })
		if !names.Has(name) {
			errs = append(errs, field.Invalid(path.Child("containerName"), name, "the pod template has no container with this name"))
		}
	}
	if on.Operator == "" {
		errs = append(errs, field.Required(path.Child("operator"), ""))
	}
	errs = append(errs, validateOneOf(on.Operator, path.Child("operator"),
		batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn)...)
	values := path.Child("values")
	switch {
	case len(on.Values) == 0:
		errs = append(errs, field.Required(values, ""))
	case len(on.Values) > 255:
		errs = append(errs, field.TooMany(values, len(on.Values), 255))
	case !slices.IsSorted(on.Values) || len(sets.New(on.Values...)) != len(on.Values):
		errs = append(errs, field.Invalid(values, on.Values, "must be in ascending order, without duplicates"))
	case on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && slices.Contains(on.Values, 0):
		errs = append(errs, field.Invalid(values, on.Values, "0 means success and cannot be used with the operator In"))
	}
	return errs
}

func validateSuccessPolicy(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if spec.SuccessPolicy == nil {
		return nil
	}
	rules := spec.SuccessPolicy.Rules
	var errs field.ErrorList
	if !isIndexed(spec) {
		errs = append(errs, field.Forbidden(path, "requires completionMode: Indexed"))
	}
	switch {
	case len(rules) == 0:
		errs = append(errs, field.Required(path.Child("rules"), "at least one rule"))
	case len(rules) > mostPolicyRules:
		errs = append(errs, field.TooMany(path.Child("rules"), len(rules), mostPolicyRules))
	}
	for i := range rules {
		errs = append(errs, validateSuccessRule(&rules[i], spec.Completions, path.Child("rules").Index(i))...)
	}
	return errs
}

func validateSuccessRule(rule *batchv1.SuccessPolicyRule, completions *int32, path *field.Path) field.ErrorList {
	if rule.SucceededCount == nil && rule.SucceededIndexes == nil {
		return field.ErrorList{field.Required(path, "set succeededCount, succeededIndexes or both")}
	}
	count := path.Child("succeededCount")
	errs := validateMin(rule.SucceededCount, 0, count)
	if completions == nil {
		return errs
	}
	errs = append(errs, validateMax(rule.SucceededCount, *completions, count)...)
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
		errs = append(errs, field.Invalid(count, *rule.SucceededCount, fmt.Sprintf("must be at most %d, the number of indexes in succeededIndexes", listed)))
	}
	return errs
}

func validatePodReplacementPolicy(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	policy := ptr.Deref(spec.PodReplacementPolicy, "")
	if policy == batchv1.TerminatingOrFailed && spec.PodFailurePolicy != nil {
		return field.ErrorList{field.Invalid(path, policy, "must be Failed if podFailurePolicy is set")}
	}
	return validateOneOf(policy, path, batchv1.Failed, batchv1.TerminatingOrFailed)
}

// validateSelector refuses a selector without manualSelector. One that was copied from an
// existing Job, with the labels that Kubernetes generates, is not an error: it is dropped
// when the Job is built.
func validateSelector(spec *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if ptr.Deref(spec.ManualSelector, false) {
		if spec.Selector == nil {
			return field.ErrorList{field.Required(path.Child("selector"), "manualSelector: true requires it")}
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
		return field.ErrorList{field.Forbidden(path.Child("selector"), "remove it; Kubernetes generates one for each Job")}
	}
	return nil
}
