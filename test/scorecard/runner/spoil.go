package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// damage is what is done to a field of a bundle, and what the test that looks for it says.
type damage struct {
	test, says string
	// file is how the name of the manifest ends.
	file  string
	field []string
	value any
}

const csv = ".clusterserviceversion.yaml"

type object = map[string]any

var damages = []damage{
	{
		test: "jobflow-examples-accepted-test",
		says: `metadata.annotations[operatorframework.io/initialization-resource]: JobFlow spoilt is refused`,
		file: csv, field: []string{"metadata", "annotations", "operatorframework.io/initialization-resource"},
		// A step that depends on itself: what only admission knows.
		value: `{"apiVersion": "api.practice.com/v1alpha1", "kind": "JobFlow",
			"metadata": {"name": "spoilt"}, "spec": {"flows": [{"name": "a", "dependencies": ["a"], "jobTemplate": {"template": {"spec": {
			"containers": [{"name": "main", "image": "busybox:1.28"}]}}}}]}}`,
	},
	{
		test: "jobflow-size-budget-test",
		says: "bytes of JSON, and 200000 is the limit",
		file: "_jobflows.yaml", field: []string{"spec", "versions"},
		value: []any{object{"name": "v1", "schema": object{"openAPIV3Schema": object{"description": strings.Repeat("long", 50_000)}}}},
	},
	{
		test: "jobflow-rbac-wildcards-test",
		says: `spec.install.spec.clusterPermissions[0].rules[0].verbs[0]: "*" is a wildcard`,
		file: csv, field: []string{"spec", "install", "spec", "clusterPermissions"},
		value: []any{object{"serviceAccountName": "all", "rules": []any{
			object{"apiGroups": []any{""}, "resources": []any{"nodes"}, "verbs": []any{"*"}},
		}}},
	},
	{
		test: "jobflow-images-listed-test",
		says: "is not in spec.relatedImages; add it there",
		file: csv, field: []string{"spec", "relatedImages"},
		value: []any{},
	},
	{
		test: "jobflow-words-documented-test",
		says: "the condition Complete of JobFlow is not named",
		file: csv, field: []string{"spec", "customresourcedefinitions", "owned"},
		value: []any{object{
			"kind": "JobFlow", "name": "jobflows.api.practice.com", "version": "v1alpha1",
			"statusDescriptors": []any{object{"path": "conditions", "description": "What there is to say."}},
		}},
	},
}

// spoil makes a copy of a bundle in which each of the operator's own tests finds
// something.
func spoil(bundle, copied string) error {
	if err := os.CopyFS(copied, os.DirFS(bundle)); err != nil {
		return err
	}
	for _, d := range damages {
		if err := d.do(copied); err != nil {
			return fmt.Errorf("spoiling the bundle for %s: %w", d.test, err)
		}
	}
	return nil
}

// allFail says which of the tests did not find what was spoilt.
func allFail(list *v1alpha3.TestList) error {
	var problems []error
	results := byTest(list)
	for _, d := range damages {
		if len(results[d.test]) != 1 || results[d.test][0].State != v1alpha3.FailState {
			problems = append(problems, fmt.Errorf("%s has not failed once", d.test))
		} else if text := strings.Join(results[d.test][0].Errors, "\n"); !strings.Contains(text, d.says) {
			problems = append(problems, fmt.Errorf("%s does not say %q", d.test, d.says))
		}
	}
	if len(results) != len(damages) {
		problems = append(problems, fmt.Errorf("%d tests have run, and %d ways to spoil a bundle are known", len(results), len(damages)))
	}
	return errors.Join(problems...)
}

// do gives the field of the one manifest whose name ends so another value.
func (d *damage) do(bundle string) error {
	paths, err := filepath.Glob(filepath.Join(bundle, "manifests", "*"+d.file))
	if err != nil {
		return err
	}
	if len(paths) != 1 {
		return fmt.Errorf("%d files in manifests/ end in %s, and there should be one", len(paths), d.file)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		return err
	}
	var o object
	if err := yaml.Unmarshal(content, &o); err != nil {
		return err
	}
	if _, found, err := unstructured.NestedFieldNoCopy(o, d.field...); !found {
		return errors.Join(fmt.Errorf("%s has no %s", paths[0], strings.Join(d.field, ".")), err)
	}
	if err := unstructured.SetNestedField(o, d.value, d.field...); err != nil {
		return err
	}
	if content, err = yaml.Marshal(o); err != nil {
		return err
	}
	return os.WriteFile(paths[0], content, 0o644)
}
