package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"sigs.k8s.io/yaml"
)

type object = map[string]any

// damage is what is done to a bundle, and what the test that looks for it says.
type damage struct {
	test string
	says string
	do   func(bundle string) error
}

var damages = []damage{
	{
		test: "jobflow-examples-accepted-test",
		says: `metadata.annotations[operatorframework.io/initialization-resource]: JobFlow spoilt is refused`,
		do: func(bundle string) error {
			return changeCSV(bundle, func(csv object) error {
				annotations, err := below(csv, "metadata", "annotations")
				if err != nil {
					return err
				}
				// A step that depends on itself: what only admission knows.
				annotations["operatorframework.io/initialization-resource"] = `{"apiVersion": "api.practice.com/v1alpha1", "kind": "JobFlow",
					"metadata": {"name": "spoilt"}, "spec": {"flows": [{"name": "a", "dependencies": ["a"], "jobTemplate": {"template": {"spec": {
					"containers": [{"name": "main", "image": "busybox:1.28"}]}}}}]}}`
				return nil
			})
		},
	},
	{
		test: "jobflow-size-budget-test",
		says: "bytes of JSON, and 200000 is the limit",
		do: func(bundle string) error {
			return changeFile(bundle, "_jobflows.yaml", func(crd object) error {
				spec, err := below(crd, "spec")
				if err != nil {
					return err
				}
				spec["versions"] = []any{object{"name": "v1", "schema": object{"openAPIV3Schema": object{"description": strings.Repeat("long", 50_000)}}}}
				return nil
			})
		},
	},
	{
		test: "jobflow-rbac-wildcards-test",
		says: `spec.install.spec.clusterPermissions[0].rules[0].verbs[0]: "*" is a wildcard`,
		do: func(bundle string) error {
			return changeCSV(bundle, func(csv object) error {
				install, err := below(csv, "spec", "install", "spec")
				if err != nil {
					return err
				}
				install["clusterPermissions"] = []any{object{"serviceAccountName": "all", "rules": []any{
					object{"apiGroups": []any{""}, "resources": []any{"nodes"}, "verbs": []any{"*"}},
				}}}
				return nil
			})
		},
	},
	{
		test: "jobflow-images-listed-test",
		says: "is not in spec.relatedImages; add it there",
		do: func(bundle string) error {
			return changeCSV(bundle, func(csv object) error {
				spec, err := below(csv, "spec")
				if err != nil {
					return err
				}
				delete(spec, "relatedImages")
				return nil
			})
		},
	},
	{
		test: "jobflow-words-documented-test",
		says: "the condition Complete of JobFlow is not named",
		do: func(bundle string) error {
			return changeCSV(bundle, func(csv object) error {
				crds, err := below(csv, "spec", "customresourcedefinitions")
				if err != nil {
					return err
				}
				crds["owned"] = []any{object{
					"kind": "JobFlow", "name": "jobflows.api.practice.com", "version": "v1alpha1",
					"statusDescriptors": []any{object{"path": "conditions", "description": "What there is to say."}},
				}}
				return nil
			})
		},
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

func changeCSV(bundle string, change func(object) error) error {
	return changeFile(bundle, ".clusterserviceversion.yaml", change)
}

// changeFile changes the one manifest whose name ends so.
func changeFile(bundle, suffix string, change func(object) error) error {
	paths, err := filepath.Glob(filepath.Join(bundle, "manifests", "*"+suffix))
	if err != nil {
		return err
	}
	if len(paths) != 1 {
		return fmt.Errorf("%d files in manifests/ end in %s, and there should be one", len(paths), suffix)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		return err
	}
	var o object
	if err := yaml.Unmarshal(content, &o); err != nil {
		return err
	}
	if err := change(o); err != nil {
		return err
	}
	if content, err = yaml.Marshal(o); err != nil {
		return err
	}
	return os.WriteFile(paths[0], content, 0o644)
}

// below is the object in a field.
func below(o object, fields ...string) (object, error) {
	for i, field := range fields {
		next, ok := o[field].(object)
		if !ok {
			return nil, fmt.Errorf("%s is no object", strings.Join(fields[:i+1], "."))
		}
		o = next
	}
	return o, nil
}
