package security_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const (
	networkPolicy    = "network-policy"
	highAvailability = "high-availability"
)

// selects tells whether a selector finds the operator's pods.
func selects(t *testing.T, selector *metav1.LabelSelector, deployment *appsv1.Deployment) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return !s.Empty() && s.Matches(labels.Set(deployment.Spec.Template.Labels))
}

// The pod's ports are let in, but for that of the probes, which come from its node.
func TestNetworkPolicyLetsInWhatIsServed(t *testing.T) {
	objects := kustomize.Build(t, "default", networkPolicy)
	deployment := manifests.Only[appsv1.Deployment](t, objects, "Deployment")
	policy := manifests.Only[networkingv1.NetworkPolicy](t, objects, "NetworkPolicy")

	if policy.Namespace != deployment.Namespace || !selects(t, &policy.Spec.PodSelector, &deployment) {
		t.Errorf("it is not about the operator's pods: %s %v", policy.Namespace, policy.Spec.PodSelector)
	}
	want := []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
	if diff := cmp.Diff(want, policy.Spec.PolicyTypes); diff != "" {
		t.Error(diff)
	}
	var served, letIn []int32
	for _, port := range deployment.Spec.Template.Spec.Containers[0].Ports {
		if port.Name != "probes" {
			served = append(served, port.ContainerPort)
		}
	}
	for _, rule := range policy.Spec.Ingress {
		for _, port := range rule.Ports {
			letIn = append(letIn, port.Port.IntVal)
		}
	}
	slices.Sort(served)
	slices.Sort(letIn)
	if diff := cmp.Diff(served, letIn); diff != "" {
		t.Errorf("served (-) and let in (+): %s", diff)
	}
}

// A rule without ports, or none at all for a direction, would open everything.
func TestNetworkPolicyNamesEveryPort(t *testing.T) {
	policy := manifests.Only[networkingv1.NetworkPolicy](t, kustomize.Build(t, "default", networkPolicy), "NetworkPolicy")
	if len(policy.Spec.Ingress) == 0 || len(policy.Spec.Egress) == 0 {
		t.Fatalf("no rules: %v", policy.Spec)
	}
	ports := func(list []networkingv1.NetworkPolicyPort) {
		t.Helper()
		for _, port := range list {
			if port.Port == nil || port.EndPort != nil {
				t.Errorf("a rule is open for more than one port: %v", port)
			}
		}
		if len(list) == 0 {
			t.Error("a rule is open for all ports")
		}
	}
	for _, rule := range policy.Spec.Ingress {
		ports(rule.Ports)
	}
	for _, rule := range policy.Spec.Egress {
		ports(rule.Ports)
	}
}

func TestHighAvailability(t *testing.T) {
	objects := kustomize.Build(t, "default", highAvailability)
	deployment := manifests.Only[appsv1.Deployment](t, objects, "Deployment")
	budget := manifests.Only[policyv1.PodDisruptionBudget](t, objects, "PodDisruptionBudget")

	if deployment.Spec.Replicas == nil || *deployment.Spec.Replicas != 2 {
		t.Errorf("replicas: %v", deployment.Spec.Replicas)
	}
	if args := deployment.Spec.Template.Spec.Containers[0].Args; !slices.Contains(args, "--leader-elect") {
		t.Errorf("both replicas would act: %v", args)
	}
	spread := deployment.Spec.Template.Spec.TopologySpreadConstraints
	if len(spread) != 1 || !selects(t, spread[0].LabelSelector, &deployment) {
		t.Errorf("the replicas are not spread: %v", spread)
	}
	if budget.Namespace != deployment.Namespace || !selects(t, budget.Spec.Selector, &deployment) {
		t.Errorf("the budget is not about the operator's pods: %s %v", budget.Namespace, budget.Spec.Selector)
	}
	if budget.Spec.MaxUnavailable == nil || budget.Spec.MaxUnavailable.IntVal != 1 {
		t.Errorf("not one pod at a time may be evicted: %v", budget.Spec)
	}
}

// A component changes nothing but what it is about.
func TestComponentsLeaveTheRestAlone(t *testing.T) {
	const deployment = "Deployment jobflow-operator-controller-manager"
	for _, base := range []string{"default", "olm"} {
		t.Run(base, func(t *testing.T) {
			want := manifests.ByID(t, kustomize.Build(t, base))
			got := manifests.ByID(t, kustomize.Build(t, base, networkPolicy, highAvailability, "monitoring"))
			for _, added := range []string{
				"NetworkPolicy jobflow-operator-controller-manager", "PodDisruptionBudget jobflow-operator-controller-manager",
				"ConfigMap jobflow-operator-dashboard", "PrometheusRule jobflow-operator", "ServiceMonitor jobflow-operator",
			} {
				if got[added] == nil || got[added].GetNamespace() != operatorNamespace {
					t.Errorf("there is no %s in the operator's namespace", added)
				}
				delete(got, added)
			}
			if cmp.Equal(want[deployment], got[deployment]) {
				t.Error("a component has no effect")
			}
			delete(want, deployment)
			delete(got, deployment)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
