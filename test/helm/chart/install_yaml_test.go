package chart_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// kubectl apply keeps what it applied in an annotation, and all annotations of an
// object together may have this many bytes.
const annotationLimit = 262144

func TestInstallYAML(t *testing.T) {
	got := parse(t, manifests.Read(t, "dist/install.yaml"))
	want := manifests.ByID(t, kustomize.Build(t, "default"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dist/install.yaml is not what config/default makes; run: make dist\n-want +got\n%s", diff)
	}
	for name, o := range got {
		last, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		size := len(last)
		for key, value := range o.GetAnnotations() {
			size += len(key) + len(value)
		}
		if size > annotationLimit {
			t.Errorf("%s has %d bytes: kubectl apply takes %d at most", name, size, annotationLimit)
		}
	}
}
