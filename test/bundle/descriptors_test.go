package bundle_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// Every field at the top of spec and status is described for the console, and no
// field that is not there.
func TestDescriptors(t *testing.T) {
	owned := loadCSV(t).Spec.CustomResourceDefinitions.Owned
	crds := manifests.All[apiextensionsv1.CustomResourceDefinition](t, manifests.LoadObjects(t, "config/crd/bases/*.yaml"), "CustomResourceDefinition")
	if len(owned) != len(crds) {
		t.Errorf("%d owned CRDs, %d in config/", len(owned), len(crds))
	}
	for _, crd := range owned {
		t.Run(crd.Kind, func(t *testing.T) {
			if crd.DisplayName == "" || crd.Description == "" || len(crd.Resources) == 0 {
				t.Error("it has no name for people, no description or no resources")
			}
			described := map[string][]string{}
			add := func(part, path, name, description string, x []string) {
				described[part] = append(described[part], path)
				if name == "" || description == "" || len(x) == 0 {
					t.Errorf("%s.%s is not fully described", part, path)
				}
			}
			for _, d := range crd.SpecDescriptors {
				add("spec", d.Path, d.DisplayName, d.Description, d.XDescriptors)
			}
			for _, d := range crd.StatusDescriptors {
				add("status", d.Path, d.DisplayName, d.Description, d.XDescriptors)
			}
			for _, part := range []string{"spec", "status"} {
				if diff := cmp.Diff(fields(t, crds, crd, part), slices.Sorted(slices.Values(described[part]))); diff != "" {
					t.Errorf("fields of %s (-) and descriptors (+): %s", part, diff)
				}
			}
		})
	}
}

func fields(t *testing.T, crds []apiextensionsv1.CustomResourceDefinition, owned operators.CRDDescription, part string) []string {
	t.Helper()
	i := slices.IndexFunc(crds, func(crd apiextensionsv1.CustomResourceDefinition) bool { return crd.Name == owned.Name })
	if i < 0 || crds[i].Spec.Versions[0].Name != owned.Version {
		t.Fatalf("config/ has no %s %s", owned.Name, owned.Version)
	}
	return slices.Sorted(maps.Keys(crds[i].Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[part].Properties))
}
