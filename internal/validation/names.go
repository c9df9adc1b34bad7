package validation

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/internal/placement"
)

// validateRequired checks a name that must be set, with one of apimachinery's functions.
func validateRequired(name string, check func(string) []string, path *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return validateOptional(name, check, path)
}

// validateOptional checks a name that may be empty.
func validateOptional(name string, check func(string) []string, path *field.Path) field.ErrorList {
	if name == "" {
		return nil
	}
	var errs field.ErrorList
	for _, message := range check(name) {
		errs = append(errs, field.Invalid(path, name, message))
	}
	return errs
}

func validateNodeName(name string, path *field.Path) field.ErrorList {
	return validateOptional(name, validation.IsDNS1123Subdomain, path)
}

// validateExcludedNodes reports each entry that cannot be the name of a node. Nodes come
// and go, so a name that no node has now is not an error.
func validateExcludedNodes(list string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range sets.List(placement.Excluded(list)) {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			errs = append(errs, field.Invalid(path, name,
				fmt.Sprintf("%q is not a valid node name; separate names with commas", name)))
		}
	}
	return errs
}
