// Package checks holds the scorecard's tests of this operator's bundle. Each says
// what is wrong by field, and what mends it.
package checks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Environment is what the checks need beside the bundle.
type Environment struct {
	Bundle *Bundle
	// Connect reaches the cluster as the service account that runs the tests.
	Connect func(rest.WarningHandler) (dynamic.Interface, error)
	// Namespace is where the tests run.
	Namespace string
	// Version of the operator that the image was made with.
	Version string
	// EmittedFile and ReferenceFile are in the image: the words that this version's
	// code writes, and docs/status-reference.md.
	EmittedFile, ReferenceFile string
}

// report collects what a check finds.
type report struct {
	errors      []string
	suggestions []string
	log         []string
}

func (r *report) errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *report) suggestf(format string, args ...any) {
	r.suggestions = append(r.suggestions, fmt.Sprintf(format, args...))
}

func (r *report) logf(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

// all are the checks by the names that config/scorecard has. One returns an error
// where it cannot tell.
var all = map[string]func(context.Context, *Environment, *report) error{
	"jobflow-examples-accepted": examplesAccepted,
	"jobflow-size-budget":       sizeBudget,
	"jobflow-rbac-wildcards":    rbacWildcards,
	"jobflow-images-listed":     imagesListed,
	"jobflow-words-documented":  wordsDocumented,
}

// Names are those of all checks.
func Names() []string {
	return slices.Sorted(maps.Keys(all))
}

// Run makes the test result of a check.
func Run(ctx context.Context, name string, env *Environment) v1alpha3.TestStatus {
	result := v1alpha3.TestResult{Name: name, State: v1alpha3.PassState}
	check, known := all[name]
	if !known {
		result.State = v1alpha3.ErrorState
		result.Errors = []string{fmt.Sprintf("entrypoint: no test %q; the image has %s", name, strings.Join(Names(), ", "))}
		return v1alpha3.TestStatus{Results: []v1alpha3.TestResult{result}}
	}
	var r report
	err := check(ctx, env, &r)
	// The order of maps is not that of results.
	slices.Sort(r.errors)
	slices.Sort(r.suggestions)
	slices.Sort(r.log)
	result.Errors, result.Suggestions = r.errors, r.suggestions
	result.Log = strings.Join(r.log, "\n")
	switch {
	case err != nil:
		result.State = v1alpha3.ErrorState
		result.Errors = append(result.Errors, err.Error())
	case len(r.errors) > 0:
		result.State = v1alpha3.FailState
	}
	return v1alpha3.TestStatus{Results: []v1alpha3.TestResult{result}}
}
