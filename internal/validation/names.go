package validation

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/internal/placement"
)

// required checks a name that has to be there, with one of apimachinery's
// functions.
func required(name string, check func(string) []string, path *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return malformed(name, check, path)
}

// malformed checks a name that may be empty.
func malformed(name string, check func(string) []string, path *field.Path) field.ErrorList {
	if name == "" {
		return nil
	}
	var errs field.ErrorList
	for _, message := range check(name) {
		errs = append(errs, field.Invalid(path, name, message))
	}
	return errs
}

func nodeName(name string, path *field.Path) field.ErrorList {
	return malformed(name, validation.IsDNS1123Subdomain, path)
}

// excludedNodes names each entry that cannot be the name of a node. That no node
// has the name now is no error: nodes come and go.
func excludedNodes(list string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range sets.List(placement.Excluded(list)) {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			errs = append(errs, field.Invalid(path, name,
				fmt.Sprintf("%q cannot be the name of a node; separate names by commas", name)))
		}
	}
	return errs
}
