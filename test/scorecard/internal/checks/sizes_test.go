package checks

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
)

func TestSizeBudget(t *testing.T) {
	const name = "jobflow-size-budget"
	// What cannot be compressed, and always the same.
	noise := make([]byte, 450_000)
	random := rand.NewChaCha8([32]byte{})
	if _, err := random.Read(noise); err != nil {
		t.Fatal(err)
	}
	for scenario, tc := range map[string]struct {
		edits []edit
		want  v1alpha3.TestResult
	}{
		"small": {want: pass(name)},
		"a CRD that kubectl apply cannot take": {
			edits: []edit{{crdFile, "A thing.", strings.Repeat("long", 50_000)}},
			want: fail(name, "manifests/example.com_things.yaml: 200301 bytes of JSON, and 200000 is the limit; "+
				"shorten descriptions in spec.versions[].schema, for example with hack/tools/crdtrim"),
		},
		"a bundle that OLM cannot unpack": {
			edits: []edit{{csvFile, "containerImage: example.com/manager:v1", "icon: " + base64.StdEncoding.EncodeToString(noise) + base64.StdEncoding.EncodeToString(noise)}},
			want:  fail(name, "bundle: "),
		},
	} {
		t.Run(scenario, func(t *testing.T) {
			got := run(t, name, &Environment{Bundle: load(t, bundleWith(t, tc.edits...))})
			if len(got.Errors) == 1 && strings.HasPrefix(got.Errors[0], "bundle: ") {
				// How well gzip works is not what is tested.
				got.Errors[0] = "bundle: "
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSizeBudgetNeedsCRDs(t *testing.T) {
	b := load(t, bundleWith(t, edit{crdFile, "kind: CustomResourceDefinition", "kind: ConfigMap"}))
	if got := run(t, "jobflow-size-budget", &Environment{Bundle: b}); got.State != v1alpha3.ErrorState {
		t.Errorf("not an error: %v", got)
	}
}
