package checks

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
)

const sizesName = "jobflow-size-budget"

func TestSizeBudget(t *testing.T) {
	expectFindings(t, sizesName, map[string]finding{
		"small": {want: pass(sizesName)},
		"a CRD that kubectl apply cannot take": {
			edits: []edit{{crdFile, "A thing.", strings.Repeat("long", 50_000)}},
			want: fail(sizesName, "manifests/example.com_things.yaml: 200301 bytes of JSON, and 200000 is the limit; "+
				"shorten descriptions in spec.versions[].schema, for example with hack/tools/crdtrim"),
		},
		"no CRD": {
			edits: []edit{{crdFile, "kind: CustomResourceDefinition", "kind: ConfigMap"}},
			want:  cannotTell(sizesName, "manifests/ has no CustomResourceDefinition; run make bundle"),
		},
	})
}

func TestSizeBudgetOfWhatOLMUnpacks(t *testing.T) {
	// What cannot be compressed, and always the same.
	noise := make([]byte, 900_000)
	random := rand.NewChaCha8([32]byte{})
	if _, err := random.Read(noise); err != nil {
		t.Fatal(err)
	}
	b := load(t, bundleWith(t, edit{csvFile, "containerImage: example.com/manager:v1", "icon: " + base64.StdEncoding.EncodeToString(noise)}))
	got := run(t, sizesName, &Environment{Bundle: b})
	// How well gzip works is not what is tested.
	if got.State != v1alpha3.FailState || len(got.Errors) != 1 || !strings.HasPrefix(got.Errors[0], "bundle: ") {
		t.Errorf("not a failure of the bundle alone: %v", got)
	}
}
