package validation

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validatePodTemplate checks for common mistakes in a pod template that the API server is
// certain to refuse. It is not the API server's whole validation: the rest is refused when
// the Job is created, and then shows in status.
func validatePodTemplate(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	pod, at := &template.Spec, path.Child("spec")
	errs := validateKeys(template.Labels, template.Annotations, path.Child("metadata"))
	if len(pod.Containers) == 0 {
		errs = append(errs, field.Required(at.Child("containers"), "a pod needs at least one container"))
	}
	names := sets.New[string]()
	forEachContainer(pod, at, func(c *corev1.Container, at *field.Path) {
		errs = append(errs, validateRequired(c.Name, validation.IsDNS1123Label, at.Child("name"))...)
		if c.Name != "" && names.Has(c.Name) {
			errs = append(errs, field.Duplicate(at.Child("name"), c.Name))
		}
		names.Insert(c.Name)
		errs = append(errs, validateContainer(c, at)...)
	})
	if len(pod.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(at.Child("ephemeralContainers"), "a pod template cannot have them"))
	}
	errs = append(errs, validateVolumes(pod.Volumes, at.Child("volumes"))...)
	errs = append(errs, validateNodeName(pod.NodeName, at.Child("nodeName"))...)
	errs = append(errs, validateLabels(pod.NodeSelector, at.Child("nodeSelector"))...)
	errs = append(errs, validateNodeAffinity(pod.Affinity, at.Child("affinity"))...)
	errs = append(errs, validateOptional(pod.ServiceAccountName, validation.IsDNS1123Subdomain, at.Child("serviceAccountName"))...)
	errs = append(errs, validateOptional(pod.PriorityClassName, validation.IsDNS1123Subdomain, at.Child("priorityClassName"))...)
	errs = append(errs, validateMin(pod.TerminationGracePeriodSeconds, 0, at.Child("terminationGracePeriodSeconds"))...)
	if seconds := pod.ActiveDeadlineSeconds; seconds != nil && (*seconds < 1 || *seconds > math.MaxInt32) {
		errs = append(errs, field.Invalid(at.Child("activeDeadlineSeconds"), *seconds, validation.InclusiveRangeError(1, math.MaxInt32)))
	}
	return errs
}

func validateContainer(c *corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.Image == "" {
		errs = append(errs, field.Required(path.Child("image"), ""))
	} else if strings.TrimSpace(c.Image) != c.Image {
		errs = append(errs, field.Invalid(path.Child("image"), c.Image, "must not have leading or trailing whitespace"))
	}
	errs = append(errs, validateOneOf(c.ImagePullPolicy, path.Child("imagePullPolicy"),
		corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
	errs = append(errs, validateEnv(c.Env, path.Child("env"))...)
	errs = append(errs, validateVolumeMounts(c.VolumeMounts, path.Child("volumeMounts"))...)
	return append(errs, validateResources(&c.Resources, path.Child("resources"))...)
}

func validateResources(r *corev1.ResourceRequirements, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(r.Limits)) {
		if limit := r.Limits[name]; limit.Sign() < 0 {
			errs = append(errs, field.Invalid(path.Child("limits").Key(string(name)), limit.String(), "must be 0 or more"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Requests)) {
		request, at := r.Requests[name], path.Child("requests").Key(string(name))
		if request.Sign() < 0 {
			errs = append(errs, field.Invalid(at, request.String(), "must be 0 or more"))
		}
		if limit, limited := r.Limits[name]; limited && request.Cmp(limit) > 0 {
			errs = append(errs, field.Invalid(at, request.String(), fmt.Sprintf("must be at most the limit, %s", limit.String())))
		}
	}
	return errs
}

// validateOneOf checks a value that may be empty.
func validateOneOf[T ~string](value T, path *field.Path, known ...T) field.ErrorList {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, value, known)}
}
