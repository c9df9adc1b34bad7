package bundle_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	corev1 "k8s.io/api/core/v1"
)

// operatorPod is the one pod template of the CSV.
func operatorPod(t *testing.T, csv *operators.ClusterServiceVersion) corev1.PodSpec {
	t.Helper()
	deployments := csv.Spec.InstallStrategy.StrategySpec.DeploymentSpecs
	if len(deployments) != 1 || len(deployments[0].Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("not one Deployment of one container: %v", deployments)
	}
	return deployments[0].Spec.Template.Spec
}

// That relatedImages and containerImage name it too is tested in test/scorecard.
func TestImage(t *testing.T) {
	csv := loadCSV(t)
	image := operatorPod(t, csv).Containers[0].Image
	if want := ":v" + csv.Spec.Version.String(); !strings.HasSuffix(image, want) {
		t.Errorf("the image %s of version %s does not end in %s", image, csv.Spec.Version, want)
	}
}

// Only what has been built and tested is claimed.
func TestPlatforms(t *testing.T) {
	want := map[string]string{
		"operatorframework.io/arch.amd64": "supported",
		"operatorframework.io/os.linux":   "supported",
	}
	if diff := cmp.Diff(want, loadCSV(t).Labels); diff != "" {
		t.Error(diff)
	}
}

// OLM mounts its certificate, and OpenShift chooses the user. That the pod is restricted
// otherwise is tested in test/security.
func TestPodLeavesTheRestToOLM(t *testing.T) {
	pod := operatorPod(t, loadCSV(t))
	if len(pod.Volumes) > 0 || len(pod.Containers[0].VolumeMounts) > 0 {
		t.Error("the pod has volumes of its own")
	}
	if security := pod.SecurityContext; security != nil && (security.RunAsUser != nil || security.RunAsGroup != nil || security.FSGroup != nil) {
		t.Errorf("the pod names a user or group: %v", security)
	}
}

func TestInstallModes(t *testing.T) {
	for _, mode := range loadCSV(t).Spec.InstallModes {
		if want := mode.Type == operators.InstallModeTypeAllNamespaces; mode.Supported != want {
			t.Errorf("%s: supported is %t", mode.Type, mode.Supported)
		}
	}
}

// Every path that the manager serves has its webhook, and OLM can find its port.
func TestWebhooks(t *testing.T) {
	csv := loadCSV(t)
	ports := map[string]bool{}
	for _, port := range operatorPod(t, csv).Containers[0].Ports {
		ports[port.Name] = true
	}
	var got []string
	for _, webhook := range csv.Spec.WebhookDefinitions {
		got = append(got, *webhook.WebhookPath)
		if webhook.DeploymentName != csv.Spec.InstallStrategy.StrategySpec.DeploymentSpecs[0].Name {
			t.Errorf("%s: no Deployment %s", webhook.GenerateName, webhook.DeploymentName)
		}
		if webhook.TargetPort == nil || !ports[webhook.TargetPort.StrVal] {
			t.Errorf("%s: the container has no port %v", webhook.GenerateName, webhook.TargetPort)
		}
	}
	want := []string{
		"/validate-api-practice-com-v1alpha1-daemonjob",
		"/validate-api-practice-com-v1alpha1-jobflow",
		"/validate-api-practice-com-v1alpha1-jobtemplate",
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(got))); diff != "" {
		t.Error(diff)
	}
}

func TestAnnotations(t *testing.T) {
	annotations := loadCSV(t).Annotations
	for _, name := range []string{
		"capabilities", "categories", "containerImage", "createdAt", "description", "repository", "support",
		"operatorframework.io/suggested-namespace",
	} {
		if annotations[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	for _, feature := range []string{
		"cnf", "cni", "csi", "disconnected", "fips-compliant", "proxy-aware", "tls-profiles",
		"token-auth-aws", "token-auth-azure", "token-auth-gcp",
	} {
		switch value := annotations["features.operators.openshift.io/"+feature]; value {
		case "true", "false":
		default:
			t.Errorf("feature %s is %q", feature, value)
		}
	}
}

type example struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Spec     map[string]any
}

// That there is one of each kind, and that they are accepted, is tested in test/scorecard.
func TestExamplesRunAnywhere(t *testing.T) {
	csv := loadCSV(t)
	var examples []example
	if err := json.Unmarshal([]byte(csv.Annotations["alm-examples"]), &examples); err != nil {
		t.Fatal(err)
	}
	var initialization example
	if err := json.Unmarshal([]byte(csv.Annotations["operatorframework.io/initialization-resource"]), &initialization); err != nil {
		t.Fatal(err)
	}
	for _, e := range append(examples, initialization) {
		if e.Metadata.Namespace != "" {
			t.Errorf("%s %s names a namespace", e.Kind, e.Metadata.Name)
		}
		params, _ := e.Spec["globalParams"].(map[string]any)
		if params["nodeName"] != nil {
			t.Errorf("%s %s names a node", e.Kind, e.Metadata.Name)
		}
	}
}
