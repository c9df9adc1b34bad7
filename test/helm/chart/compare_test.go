package chart_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// The chart and config/ say the same in two ways. What follows is all in which they
// may differ.
var (
	// The chart leaves the namespace to helm's --create-namespace: a release cannot
	// lie in a namespace that it makes itself.
	onlyInKustomize = []string{"Namespace " + namespace}
	// Labels that name who manages an object.
	ownLabels = []string{
		"app.kubernetes.io/instance",
		"app.kubernetes.io/managed-by",
		"app.kubernetes.io/version",
		"helm.sh/chart",
	}
	// Helm's way to keep what is deleted from a release; on CRDs only.
	ownAnnotation = "helm.sh/resource-policy"
)

// standardImage is the operator's in config/.
const standardImage = "ghcr.io/jobflow-operator/jobflow-operator"

func TestSameAsKustomize(t *testing.T) {
	for name, c := range map[string]struct {
		values     string
		images     []types.Image
		components []string
	}{
		"the defaults": {},
		"another image": {
			values: "{image: {repository: registry.example.com:5000/jobs/operator, tag: v9}}",
			images: []types.Image{{Name: standardImage, NewName: "registry.example.com:5000/jobs/operator", NewTag: "v9"}},
		},
		"an image by its digest": {
			values: "{image: {digest: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}",
			images: []types.Image{{Name: standardImage, Digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}},
		},
		"high availability": {
			values:     "{replicas: 2, podDisruptionBudget: {enabled: true}}",
			components: []string{"high-availability"},
		},
		"a network policy": {
			values:     "{networkPolicy: {enabled: true}}",
			components: []string{"network-policy"},
		},
		"monitoring": {
			values:     "{monitoring: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboard: {enabled: true}}}",
			components: []string{"monitoring"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := manifests.ByID(t, kustomize.BuildWithImages(t, c.images, "default", c.components...))
			for _, key := range onlyInKustomize {
				if _, ok := want[key]; !ok {
					t.Errorf("config/default has no %s any more", key)
				}
				delete(want, key)
			}
			got := render(t, c.values, prometheusOperator)
			for _, set := range []objects{want, got} {
				for _, o := range set {
					labels := o.GetLabels()
					maps.DeleteFunc(labels, func(key, _ string) bool { return slices.Contains(ownLabels, key) })
					o.SetLabels(labels)
					if o.GetKind() == "CustomResourceDefinition" {
						annotations := o.GetAnnotations()
						delete(annotations, ownAnnotation)
						o.SetAnnotations(annotations)
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-kustomize +helm\n%s", diff)
			}
		})
	}
}

// Every component of config/ is an option of the chart.
func TestComponentsAreCompared(t *testing.T) {
	entries, err := os.ReadDir(repository.Path("config/components"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	want := []string{"high-availability", "monitoring", "network-policy"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config/components: each needs its values in the chart and its case in TestSameAsKustomize: -compared +there\n%s", diff)
	}
}
