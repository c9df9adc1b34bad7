package validation

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// validateNodeAffinity checks the required node affinity. A DaemonJob chooses its nodes by
// it before there is a Job that the API server could refuse: an affinity that cannot be
// parsed would never match a node.
func validateNodeAffinity(affinity *corev1.Affinity, path *field.Path) field.ErrorList {
	if affinity == nil || affinity.NodeAffinity == nil || affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	required := affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	at := path.Child("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
	if len(required.NodeSelectorTerms) == 0 {
		return field.ErrorList{field.Required(at.Child("nodeSelectorTerms"), "a node affinity needs at least one term")}
	}
	var errs field.ErrorList
	if _, err := nodeaffinity.NewNodeSelector(required, field.WithPath(at)); err != nil {
		errs = flattenErrors(err, at)
	}
	for i := range required.NodeSelectorTerms {
		fields := required.NodeSelectorTerms[i].MatchFields
		for j := range fields {
			if fields[j].Key != metav1.ObjectNameField {
				key := at.Child("nodeSelectorTerms").Index(i).Child("matchFields").Index(j).Child("key")
				errs = append(errs, field.NotSupported(key, fields[j].Key, []string{metav1.ObjectNameField}))
			}
		}
	}
	return errs
}

// flattenErrors returns the errors in an aggregate.
func flattenErrors(err error, path *field.Path) field.ErrorList {
	list := []error{err}
	if aggregate, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		list = aggregate.Errors()
	}
	var errs field.ErrorList
	for _, err := range list {
		var one *field.Error
		if !errors.As(err, &one) {
			one = field.Invalid(path, field.OmitValueType{}, err.Error())
		}
		errs = append(errs, one)
	}
	return errs
}
