package validation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func validateCommonParams(params *v1alpha1.CommonParams, path *field.Path) field.ErrorList {
	errs := validateEnv(params.Env, path.Child("env"))
	// The API server lets a container set a variable twice. Here it would be a
	// mistake, since variables are merged by name.
	seen := sets.New[string]()
	for i := range params.Env {
		if name := params.Env[i].Name; seen.Has(name) {
			errs = append(errs, field.Duplicate(path.Child("env").Index(i).Child("name"), name))
		} else {
			seen.Insert(name)
		}
	}
	return append(errs, validateKeys(params.Labels, params.Annotations, path)...)
}

// validateKeys checks the labels and annotations of Jobs and pods.
func validateKeys(labels, annotations map[string]string, path *field.Path) field.ErrorList {
	errs := validateLabels(labels, path.Child("labels"))
	errs = append(errs, validateAnnotations(annotations, path.Child("annotations"))...)
	errs = append(errs, validateNotReserved(labels, path.Child("labels"))...)
	return append(errs, validateNotReserved(annotations, path.Child("annotations"))...)
}

// validateLabels sorts the keys, so that the same object gets the same errors each time.
func validateLabels(labels map[string]string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		errs = append(errs, validateKey(key, path)...)
		errs = append(errs, validateOptional(labels[key], validation.IsValidLabelValue, path.Key(key))...)
	}
	return errs
}

func validateAnnotations(annotations map[string]string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		// Annotations, unlike labels, may have upper case in the prefix.
		errs = append(errs, validateKey(strings.ToLower(key), path)...)
	}
	if err := apivalidation.ValidateAnnotationsSize(annotations); err != nil {
		errs = append(errs, field.TooLong(path, "", apivalidation.TotalAnnotationSizeLimitB))
	}
	return errs
}

func validateKey(key string, path *field.Path) field.ErrorList {
	if key == "" {
		return field.ErrorList{field.Invalid(path, key, "a key must not be empty")}
	}
	return validateOptional(key, validation.IsQualifiedName, path)
}

// validateNotReserved refuses the keys that mark the operator's own Jobs.
func validateNotReserved(set map[string]string, path *field.Path) field.ErrorList {
	prefix := v1alpha1.GroupVersion.Group + "/"
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if strings.HasPrefix(key, prefix) {
			errs = append(errs, field.Forbidden(path.Key(key),
				fmt.Sprintf("%q is reserved for the operator; remove keys that begin with %s", key, prefix)))
		}
	}
	return errs
}

func validateEnv(vars []corev1.EnvVar, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range vars {
		errs = append(errs, validateEnvVar(&vars[i], path.Index(i))...)
	}
	return errs
}

func validateEnvVar(v *corev1.EnvVar, path *field.Path) field.ErrorList {
	errs := validateRequired(v.Name, validation.IsRelaxedEnvVarName, path.Child("name"))
	from := v.ValueFrom
	if from == nil {
		return errs
	}
	sources := 0
	for _, set := range []bool{
		from.FieldRef != nil, from.ResourceFieldRef != nil, from.ConfigMapKeyRef != nil,
		from.SecretKeyRef != nil, from.FileKeyRef != nil,
	} {
		if set {
			sources++
		}
	}
	switch {
	case v.Value != "":
		errs = append(errs, field.Forbidden(path.Child("valueFrom"), "set either value or valueFrom"))
	case sources != 1:
		errs = append(errs, field.Invalid(path.Child("valueFrom"), field.OmitValueType{}, "set exactly one source"))
	}
	return errs
}
