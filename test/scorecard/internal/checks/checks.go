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
	v1alpha3.TestResult
	log []string
}

func (r *report) errorf(format string, args ...any) {
	r.Errors = append(r.Errors, fmt.Sprintf(format, args...))
}

func (r *report) suggestf(format string, args ...any) {
	r.Suggestions = append(r.Suggestions, fmt.Sprintf(format, args...))
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
	check, known := all[name]
	if !known {
		return CannotTell(name, fmt.Errorf("entrypoint: no test %q; the image has %s", name, strings.Join(Names(), ", ")))
	}
	r := report{TestResult: v1alpha3.TestResult{Name: name, State: v1alpha3.PassState}}
	err := check(ctx, env, &r)
	// The order of maps is not that of results.
	slices.Sort(r.Errors)
	slices.Sort(r.Suggestions)
	slices.Sort(r.log)
	r.Log = strings.Join(r.log, "\n")
	switch {
	case err != nil:
		r.State = v1alpha3.ErrorState
		r.errorf("%v", err)
	case len(r.Errors) > 0:
		r.State = v1alpha3.FailState
	}
	return v1alpha3.TestStatus{Results: []v1alpha3.TestResult{r.TestResult}}
}

// CannotTell is the result of a test that could not run.
func CannotTell(name string, why error) v1alpha3.TestStatus {
	return v1alpha3.TestStatus{Results: []v1alpha3.TestResult{{Name: name, State: v1alpha3.ErrorState, Errors: []string{why.Error()}}}}
}
