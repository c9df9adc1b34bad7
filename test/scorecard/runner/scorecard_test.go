package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

func results(test string, states ...v1alpha3.TestResult) v1alpha3.Test {
	return v1alpha3.Test{
		Spec:   v1alpha3.TestConfiguration{Labels: map[string]string{"test": test}},
		Status: v1alpha3.TestStatus{Results: states},
	}
}

func TestAllPass(t *testing.T) {
	tests := []v1alpha3.TestConfiguration{{Labels: map[string]string{"test": "one"}}}
	for name, tc := range map[string]struct {
		items []v1alpha3.Test
		want  string
	}{
		"it passes":              {[]v1alpha3.Test{results("one", v1alpha3.TestResult{State: v1alpha3.PassState})}, ""},
		"it fails":               {[]v1alpha3.Test{results("one", v1alpha3.TestResult{State: v1alpha3.FailState})}, `one is "fail"`},
		"it cannot tell":         {[]v1alpha3.Test{results("one", v1alpha3.TestResult{State: v1alpha3.ErrorState})}, `one is "error"`},
		"it has a suggestion":    {[]v1alpha3.Test{results("one", v1alpha3.TestResult{State: v1alpha3.PassState, Suggestions: []string{"x"}})}, "1 suggestions"},
		"another runs":           {[]v1alpha3.Test{results("two", v1alpha3.TestResult{State: v1alpha3.PassState})}, "one has not run"},
		"it runs without result": {[]v1alpha3.Test{results("one")}, "one has not run"},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, allPass(tests, &v1alpha3.TestList{Items: tc.items}), tc.want)
		})
	}
}

func TestAllFail(t *testing.T) {
	failed := func(change func(*v1alpha3.Test)) *v1alpha3.TestList {
		list := &v1alpha3.TestList{}
		for _, d := range damages {
			list.Items = append(list.Items, results(d.test, v1alpha3.TestResult{State: v1alpha3.FailState, Errors: []string{"at " + d.says}}))
		}
		change(&list.Items[0])
		return list
	}
	first := damages[0].test
	for name, tc := range map[string]struct {
		change func(*v1alpha3.Test)
		want   string
	}{
		"all do":                    {func(*v1alpha3.Test) {}, ""},
		"one passes":                {func(test *v1alpha3.Test) { test.Status.Results[0].State = v1alpha3.PassState }, first + " has not failed"},
		"one fails by another word": {func(test *v1alpha3.Test) { test.Status.Results[0].Errors = []string{"x"} }, first + " does not say"},
		"one is new":                {func(test *v1alpha3.Test) { test.Spec.Labels["test"] = "new" }, first + " has not failed"},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, allFail(failed(tc.change)), tc.want)
		})
	}
}

func check(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("not an error that says %q: %v", want, err)
	}
}

// The ways to spoil a bundle know its files.
func TestSpoil(t *testing.T) {
	if err := spoil(repository.Path("bundle"), filepath.Join(t.TempDir(), "bundle")); err != nil {
		t.Fatal(err)
	}
}
