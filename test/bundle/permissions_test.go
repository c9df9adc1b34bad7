package bundle_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

func rulesIn(t *testing.T, kind string, files ...string) []rbacv1.PolicyRule {
	t.Helper()
	var rules []rbacv1.PolicyRule
	for _, file := range files {
		for _, role := range manifests.All[rbacv1.ClusterRole](t, manifests.LoadObjects(t, "config/"+file), kind) {
			rules = append(rules, role.Rules...)
		}
	}
	return sorted(rules)
}

func rulesOf(permissions []operators.StrategyDeploymentPermissions) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, permission := range permissions {
		rules = append(rules, permission.Rules...)
	}
	return sorted(rules)
}

func sorted(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	slices.SortFunc(rules, func(a, b rbacv1.PolicyRule) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return rules
}

// Under OLM the operator may do what it may do elsewhere, but for its certificate.
func TestPermissionsAreThoseOfConfig(t *testing.T) {
	strategy := loadCSV(t).Spec.InstallStrategy.StrategySpec
	if diff := gocmp.Diff(rulesIn(t, "ClusterRole", "rbac/role.yaml", "rbac/metrics_auth_role.yaml"), rulesOf(strategy.ClusterPermissions)); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff(rulesIn(t, "Role", "rbac/role.yaml", "rbac/leader_election_role.yaml"), rulesOf(strategy.Permissions)); diff != "" {
		t.Error(diff)
	}
}

// What is not about the certificate would be missing under OLM.
func TestPermissionsForTheCertificateAreNothingElse(t *testing.T) {
	rules := append(rulesIn(t, "ClusterRole", "certificate/role.yaml"), rulesIn(t, "Role", "certificate/role.yaml")...)
	if len(rules) == 0 {
		t.Fatal("no rules")
	}
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			if resource != "secrets" && resource != "validatingwebhookconfigurations" {
				t.Errorf("config/certificate grants %v on %s", rule.Verbs, resource)
			}
		}
	}
}
