package security_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

// templates are the pod templates of every way to install the operator. What
// charts/ and dist/ have is compared with config/ by their own tests.
func templates(t *testing.T) map[string]corev1.PodTemplateSpec {
	t.Helper()
	found := map[string]corev1.PodTemplateSpec{}
	add := func(name, base string, components ...string) {
		found[name] = manifests.Only[appsv1.Deployment](t, kustomize.Build(t, base, components...), "Deployment").Spec.Template
	}
	add("config/default", "default")
	add("config/default with components", "default", networkPolicy, highAvailability)
	add("config/olm", "olm")
	deployments := loadCSV(t).Spec.InstallStrategy.StrategySpec.DeploymentSpecs
	if len(deployments) != 1 {
		t.Fatalf("the bundle has %d Deployments, not one", len(deployments))
	}
	found["bundle"] = deployments[0].Spec.Template
	return found
}

// The Pod Security Standard, as the API server judges it: of the newest version.
func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for name, template := range templates(t) {
		t.Run(name, func(t *testing.T) {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec))
			if !result.Allowed {
				t.Errorf("%s: %s", result.ForbiddenReason(), result.ForbiddenDetail())
			}
		})
	}
}

// What the standard does not ask for.
func TestPodsAreNarrow(t *testing.T) {
	for name, template := range templates(t) {
		t.Run(name, func(t *testing.T) {
			pod := template.Spec
			if profile := pod.SecurityContext.SeccompProfile; profile == nil || profile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Errorf("seccompProfile: %v", profile)
			}
			for _, volume := range pod.Volumes {
				if volume.EmptyDir == nil || volume.EmptyDir.SizeLimit == nil {
					t.Errorf("the volume %s is not an emptyDir of a limited size", volume.Name)
				}
			}
			for _, container := range append(pod.InitContainers, pod.Containers...) {
				security := container.SecurityContext
				if security == nil || security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem {
					t.Errorf("%s can write to its root file system", container.Name)
				}
				if security != nil && security.Capabilities != nil && len(security.Capabilities.Add) > 0 {
					t.Errorf("%s has capabilities: %v", container.Name, security.Capabilities.Add)
				}
				for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
					if request := container.Resources.Requests[resource]; request.IsZero() {
						t.Errorf("%s requests no %s", container.Name, resource)
					}
				}
				if container.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s has no limit of memory", container.Name)
				}
			}
		})
	}
}

// Its own namespace enforces the standard, so that a change which breaks it fails in
// every cluster.
func TestNamespaceEnforcesTheStandard(t *testing.T) {
	namespace := manifests.Only[corev1.Namespace](t, kustomize.Build(t, "default"), "Namespace")
	if level := namespace.Labels[api.EnforceLevelLabel]; level != string(api.LevelRestricted) {
		t.Errorf("%s is %q", api.EnforceLevelLabel, level)
	}
}
