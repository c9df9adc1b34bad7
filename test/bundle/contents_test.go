package bundle_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// OLM makes namespaces, service accounts, Deployments and Services itself, and
// refuses what it does not know. A ServiceMonitor or the like would fail where its
// CRD is not installed.
func TestKinds(t *testing.T) {
	got := map[string]int{}
	for _, o := range loadBundle(t).Objects {
		got[o.GetKind()]++
		if o.GetNamespace() != "" {
			t.Errorf("%s %s names a namespace, which only OLM can know", o.GetKind(), o.GetName())
		}
	}
	want := map[string]int{"ClusterServiceVersion": 1, "CustomResourceDefinition": 3, "ClusterRole": 3, "Service": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A Service whose selector or port is not that of the operator's pod leads nowhere.
func TestMetricsServiceLeadsToTheOperator(t *testing.T) {
	bundle := loadBundle(t)
	service := manifests.Only[corev1.Service](t, bundle.Objects, "Service")
	pod := bundle.CSV.Spec.InstallStrategy.StrategySpec.DeploymentSpecs[0].Spec.Template
	if len(service.Spec.Selector) == 0 || !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)) {
		t.Errorf("the selector %v does not match the pod's labels %v", service.Spec.Selector, pod.Labels)
	}
	for _, port := range service.Spec.Ports {
		if !slices.ContainsFunc(pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == port.TargetPort.StrVal }) {
			t.Errorf("the container has no port %s", port.TargetPort.StrVal)
		}
	}
}

func TestNoDependencies(t *testing.T) {
	path := repository.Path("bundle/metadata/dependencies.yaml")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OLM v1 refuses a bundle with dependencies.yaml (%v)", err)
	}
}

func TestChannels(t *testing.T) {
	bundle := loadBundle(t)
	if diff := cmp.Diff([]string{"candidate", "stable"}, bundle.Channels); diff != "" {
		t.Error(diff)
	}
	if bundle.DefaultChannel != "stable" {
		t.Errorf("the default channel is %q", bundle.DefaultChannel)
	}
}

// What operator-sdk does not know of a CRD it drops.
func TestCRDsAreThoseOfConfig(t *testing.T) {
	specs := func(pattern string) map[string]any {
		found := map[string]any{}
		for id, crd := range manifests.ByID(t, manifests.LoadObjects(t, pattern)) {
			found[id] = crd.Object["spec"]
		}
		return found
	}
	if diff := cmp.Diff(specs("config/crd/bases/*.yaml"), specs("bundle/manifests/api.practice.com_*.yaml")); diff != "" {
		t.Errorf("the CRDs of config (-) and of the bundle (+): %s", diff)
	}
}
