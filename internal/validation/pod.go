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

// podTemplate checks what the API server is certain to refuse in a pod template
// and what people get wrong. It is not the API server's whole validation: what it
// lets through is refused when the Job is created, and status says so then.
func podTemplate(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	pod, at := &template.Spec, path.Child("spec")
	errs := keys(template.Labels, template.Annotations, path.Child("metadata"))
	if len(pod.Containers) == 0 {
		errs = append(errs, field.Required(at.Child("containers"), "a pod needs at least one container"))
	}
	names := sets.New[string]()
	forEachContainer(pod, at, func(c *corev1.Container, at *field.Path) {
		errs = append(errs, required(c.Name, validation.IsDNS1123Label, at.Child("name"))...)
		if c.Name != "" && names.Has(c.Name) {
			errs = append(errs, field.Duplicate(at.Child("name"), c.Name))
		}
		names.Insert(c.Name)
		errs = append(errs, container(c, at)...)
	})
	if len(pod.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(at.Child("ephemeralContainers"), "a pod template cannot have them"))
	}
	errs = append(errs, volumes(pod.Volumes, at.Child("volumes"))...)
	errs = append(errs, nodeName(pod.NodeName, at.Child("nodeName"))...)
	errs = append(errs, validLabels(pod.NodeSelector, at.Child("nodeSelector"))...)
	errs = append(errs, nodeAffinity(pod.Affinity, at.Child("affinity"))...)
	errs = append(errs, malformed(pod.ServiceAccountName, validation.IsDNS1123Subdomain, at.Child("serviceAccountName"))...)
	errs = append(errs, malformed(pod.PriorityClassName, validation.IsDNS1123Subdomain, at.Child("priorityClassName"))...)
	errs = append(errs, atLeast(pod.TerminationGracePeriodSeconds, 0, at.Child("terminationGracePeriodSeconds"))...)
	if seconds := pod.ActiveDeadlineSeconds; seconds != nil && (*seconds < 1 || *seconds > math.MaxInt32) {
		errs = append(errs, field.Invalid(at.Child("activeDeadlineSeconds"), *seconds, validation.InclusiveRangeError(1, math.MaxInt32)))
	}
	return errs
}

func container(c *corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.Image == "" {
		errs = append(errs, field.Required(path.Child("image"), ""))
	} else if strings.TrimSpace(c.Image) != c.Image {
		errs = append(errs, field.Invalid(path.Child("image"), c.Image, "must not have leading or trailing whitespace"))
	}
	errs = append(errs, oneOf(c.ImagePullPolicy, path.Child("imagePullPolicy"),
		corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
	errs = append(errs, env(c.Env, path.Child("env"))...)
	errs = append(errs, volumeMounts(c.VolumeMounts, path.Child("volumeMounts"))...)
	return append(errs, resources(&c.Resources, path.Child("resources"))...)
}

func resources(r *corev1.ResourceRequirements, path *field.Path) field.ErrorList {
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

// oneOf checks a value that may be left out.
func oneOf[T ~string](value T, path *field.Path, known ...T) field.ErrorList {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, value, known)}
}
