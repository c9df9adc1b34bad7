package checks

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/words"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const (
	csvFile = "manifests/thing-operator.clusterserviceversion.yaml"
	crdFile = "manifests/example.com_things.yaml"
)

// edit replaces text in a file of the bundle.
type edit struct{ file, old, new string }

// bundleWith is the good bundle with edits.
func bundleWith(t *testing.T, edits ...edit) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "bundle"))); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		path := filepath.Join(dir, e.file)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(content), e.old) != 1 {
			t.Fatalf("%s does not have %q once", e.file, e.old)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(content), e.old, e.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, dir string) *Bundle {
	t.Helper()
	b, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run is one check's only result, without its log.
func run(t *testing.T, name string, env *Environment) v1alpha3.TestResult {
	t.Helper()
	results := Run(t.Context(), name, env).Results
	if len(results) != 1 || results[0].Name != name {
		t.Fatalf("not one result of %s: %v", name, results)
	}
	results[0].Log = ""
	return results[0]
}

func pass(name string) v1alpha3.TestResult {
	return v1alpha3.TestResult{Name: name, State: v1alpha3.PassState}
}

func fail(name string, errors ...string) v1alpha3.TestResult {
	return v1alpha3.TestResult{Name: name, State: v1alpha3.FailState, Errors: errors}
}

func cannotTell(name, why string) v1alpha3.TestResult {
	return CannotTell(name, errors.New(why)).Results[0]
}

// finding is what a check that needs nothing but the bundle finds in the good one with
// edits.
type finding struct {
	edits []edit
	want  v1alpha3.TestResult
}

func expectFindings(t *testing.T, name string, findings map[string]finding) {
	t.Helper()
	for scenario, f := range findings {
		t.Run(scenario, func(t *testing.T) {
			if diff := cmp.Diff(f.want, run(t, name, &Environment{Bundle: load(t, bundleWith(t, f.edits...))})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRunRefusesAnUnknownName(t *testing.T) {
	result := run(t, "unknown", &Environment{})
	if result.State != v1alpha3.ErrorState || len(result.Errors) != 1 || !strings.Contains(result.Errors[0], "jobflow-size-budget") {
		t.Errorf("not an error that lists the tests: %v", result)
	}
}

// What a check cannot tell is an error, never a pass.
func TestRunReportsWhatItCannotTell(t *testing.T) {
	all["broken"] = func(context.Context, *Environment, *report) error { return os.ErrNotExist }
	t.Cleanup(func() { delete(all, "broken") })
	if diff := cmp.Diff(cannotTell("broken", os.ErrNotExist.Error()), run(t, "broken", nil)); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	empty := t.TempDir()
	if _, err := Load(empty); err == nil {
		t.Error("no error for a directory without a CSV")
	}
	if _, err := Load(bundleWith(t, edit{csvFile, "version: 1.2.3", "version: [1"})); err == nil {
		t.Error("no error for a CSV that cannot be read")
	}
}

// All that operator-sdk has, and all of these.
func TestBundleHasEveryTest(t *testing.T) {
	const version = ":v1.33.0"
	want := map[string][]string{
		"quay.io/operator-framework/scorecard-test" + version: {
			"scorecard-test basic-check-spec", "scorecard-test olm-bundle-validation", "scorecard-test olm-crds-have-resources",
			"scorecard-test olm-crds-have-validation", "scorecard-test olm-spec-descriptors", "scorecard-test olm-status-descriptors",
		},
	}
	ours := "ghcr.io/jobflow-operator/jobflow-operator-scorecard:v" + load(t, repository.Path("bundle")).CSV.Spec.Version.String()
	for _, name := range Names() {
		want[ours] = append(want[ours], "/scorecard "+name)
	}
	tests, err := Configured(repository.Path("bundle"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, test := range tests {
		got[test.Image] = append(got[test.Image], strings.Join(test.Entrypoint, " "))
		if want := test.Entrypoint[1] + "-test"; test.Labels["test"] != want || test.Labels["suite"] == "" {
			t.Errorf("the labels of %v are %v, and test should be %s", test.Entrypoint, test.Labels, want)
		}
	}
	for _, tests := range got {
		slices.Sort(tests)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// This repository's bundle passes. Only what a real API server thinks of its examples is
// left to make test-scorecard.
func TestBundle(t *testing.T) {
	env := realEnvironment(t)
	env.Connect, _ = apiServer(t, created, "")
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(pass(name), run(t, name, env)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// realEnvironment has this repository's bundle and documentation. That the code has
// no other words is tested in package emitted.
func realEnvironment(t *testing.T) *Environment {
	t.Helper()
	b := load(t, repository.Path("bundle"))
	const reference = "docs/status-reference.md"
	documented, err := words.ParseReference(string(manifests.Read(t, reference)))
	if err != nil {
		t.Fatal(err)
	}
	return &Environment{
		Bundle: b, Version: "v" + b.CSV.Spec.Version.String(),
		EmittedFile: writeJSON(t, documented.Words()), ReferenceFile: repository.Path(reference),
	}
}

func writeJSON(t *testing.T, value any) string {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, content)
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
