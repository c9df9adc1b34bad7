package chart_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// That kubectl apply can take its largest objects, the CRDs, is tested in test/scorecard.
func TestInstallYAML(t *testing.T) {
	got := parse(t, manifests.Read(t, "dist/install.yaml"))
	want := manifests.ByID(t, kustomize.Build(t, "default"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dist/install.yaml is not what config/default makes; run: make dist\n-want +got\n%s", diff)
	}
}
