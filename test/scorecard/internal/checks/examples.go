package checks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	examplesAnnotation       = "alm-examples"
	initializationAnnotation = "operatorframework.io/initialization-resource"
)

// example is an object that people are given to start from.
type example struct {
	// at is the field that it stands in.
	at     string
	object unstructured.Unstructured
}

// warnings are what the API server warned of.
type warnings []string

// HandleWarningHeader is for rest.Config.
func (w *warnings) HandleWarningHeader(_ int, _ string, text string) { *w = append(*w, text) }

// examplesAccepted has the API server say what it would do with each example:
// schema, rules and admission, with unknown fields refused and nothing stored.
func examplesAccepted(ctx context.Context, env *Environment, r *report) error {
	examples, err := examplesOf(env.Bundle)
	if err != nil {
		return err
	}
	resources := ownedResources(env.Bundle, examples, r)
	var said warnings
	cluster, err := env.Connect(&said)
	if err != nil {
		return err
	}
	for _, e := range examples {
		resource, ok := resources[e.object.GroupVersionKind()]
		if !ok {
			r.errorf("%s: %s is not a kind that the CSV owns; correct its apiVersion and kind", e.at, e.object.GroupVersionKind())
			continue
		}
		name := e.object.GetName()
		if name == "" {
			r.errorf("%s.metadata.name: it is missing", e.at)
			continue
		}
		// An object of the same name may be there.
		e.object.SetName("")
		e.object.SetGenerateName(name + "-")
		e.object.SetNamespace("")
		said = nil
		_, err := cluster.Resource(resource).Namespace(env.Namespace).Create(ctx, &e.object,
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
		if err != nil {
			r.errorf("%s: %s %s is refused: %v%s", e.at, e.object.GetKind(), name, err, mend(err, env.Namespace, resource))
			continue
		}
		for _, warning := range said {
			r.suggestf("%s: the API server warns: %s", e.at, warning)
		}
		r.logf("%s: %s %s is accepted", e.at, e.object.GetKind(), name)
	}
	return nil
}

// mend says what to do about an answer that is not about the example itself.
func mend(err error, namespace string, resource schema.GroupVersionResource) string {
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Sprintf("; grant the tests' service account in the namespace %q \"create\" on %q and on \"jobs.batch\", as config/scorecard/runner does, and name it with --service-account",
			namespace, resource.GroupResource())
	case apierrors.IsNotFound(err):
		return "; install the operator first: the API server does not know the kind"
	case apierrors.IsInternalError(err):
		return "; is the operator up? Its webhook has to answer"
	default:
		return "; mend the example"
	}
}

func examplesOf(b *Bundle) ([]example, error) {
	var list []map[string]any
	if err := json.Unmarshal([]byte(b.CSV.Annotations[examplesAnnotation]), &list); err != nil {
		return nil, fmt.Errorf("%s: metadata.annotations[%s]: not a JSON list of objects: %w", b.CSVFile, examplesAnnotation, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: metadata.annotations[%s]: no examples", b.CSVFile, examplesAnnotation)
	}
	var examples []example
	for i, object := range list {
		examples = append(examples, example{
			at:     fmt.Sprintf("%s: metadata.annotations[%s][%d]", b.CSVFile, examplesAnnotation, i),
			object: unstructured.Unstructured{Object: object},
		})
	}
	if text := b.CSV.Annotations[initializationAnnotation]; text != "" {
		at := fmt.Sprintf("%s: metadata.annotations[%s]", b.CSVFile, initializationAnnotation)
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, errors.Join(errors.New(at+": not a JSON object"), err)
		}
		examples = append(examples, example{at: at, object: unstructured.Unstructured{Object: object}})
	}
	return examples, nil
}

// ownedResources are the kinds of the CSV, each of which has to have an example.
func ownedResources(b *Bundle, examples []example, r *report) map[schema.GroupVersionKind]schema.GroupVersionResource {
	resources := map[schema.GroupVersionKind]schema.GroupVersionResource{}
	for _, crd := range b.CSV.Spec.CustomResourceDefinitions.Owned {
		plural, group, _ := strings.Cut(crd.Name, ".")
		kind := schema.GroupVersionKind{Group: group, Version: crd.Version, Kind: crd.Kind}
		resources[kind] = schema.GroupVersionResource{Group: group, Version: crd.Version, Resource: plural}
		found := false
		for _, e := range examples {
			found = found || e.object.GroupVersionKind() == kind
		}
		if !found {
			r.errorf("%s: metadata.annotations[%s]: no example of the kind %s; add one to config/manifests", b.CSVFile, examplesAnnotation, crd.Kind)
		}
	}
	return resources
}
