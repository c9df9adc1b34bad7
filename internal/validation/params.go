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

func commonParams(params *v1alpha1.CommonParams, path *field.Path) field.ErrorList {
	errs := env(params.Env, path.Child("env"))
	// A container may name a variable twice, as far as the API server goes. Here
	// that could only be a mistake: variables are merged by name.
	seen := sets.New[string]()
	for i := range params.Env {
		if name := params.Env[i].Name; seen.Has(name) {
			errs = append(errs, field.Duplicate(path.Child("env").Index(i).Child("name"), name))
		} else {
			seen.Insert(name)
		}
	}
	return append(errs, keys(params.Labels, params.Annotations, path)...)
}

// keys checks the labels and annotations that go to Jobs and pods.
func keys(labels, annotations map[string]string, path *field.Path) field.ErrorList {
	errs := validLabels(labels, path.Child("labels"))
	errs = append(errs, validAnnotations(annotations, path.Child("annotations"))...)
	errs = append(errs, reserved(labels, path.Child("labels"))...)
	return append(errs, reserved(annotations, path.Child("annotations"))...)
}

// validLabels goes through the keys in order, so that the same object gets the
// same errors each time.
func validLabels(labels map[string]string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		errs = append(errs, malformedKey(key, path)...)
		errs = append(errs, malformed(labels[key], validation.IsValidLabelValue, path.Key(key))...)
	}
	return errs
}

func validAnnotations(annotations map[string]string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		// Annotations, unlike labels, may have upper case in the prefix.
		errs = append(errs, malformedKey(strings.ToLower(key), path)...)
	}
	if err := apivalidation.ValidateAnnotationsSize(annotations); err != nil {
		errs = append(errs, field.TooLong(path, "", apivalidation.TotalAnnotationSizeLimitB))
	}
	return errs
}

func malformedKey(key string, path *field.Path) field.ErrorList {
	if key == "" {
		return field.ErrorList{field.Invalid(path, key, "a key must not be empty")}
	}
	return malformed(key, validation.IsQualifiedName, path)
}

// reserved refuses the keys by which the operator knows its own Jobs.
func reserved(set map[string]string, path *field.Path) field.ErrorList {
	prefix := v1alpha1.GroupVersion.Group + "/"
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if strings.HasPrefix(key, prefix) {
			errs = append(errs, field.Forbidden(path.Key(key),
				fmt.Sprintf("%q is the operator's: leave out keys that begin with %s", key, prefix)))
		}
	}
	return errs
}

func env(vars []corev1.EnvVar, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range vars {
		errs = append(errs, envVar(&vars[i], path.Index(i))...)
	}
	return errs
}

func envVar(v *corev1.EnvVar, path *field.Path) field.ErrorList {
	errs := required(v.Name, validation.IsRelaxedEnvVarName, path.Child("name"))
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
