package security_test

import (
	"slices"
	"strings"
	"testing"

	operators "github.com/operator-framework/api/pkg/operators/v1alpha1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

const (
	operatorNamespace = "jobflow-operator-system"
	operatorAccount   = "jobflow-operator-controller-manager"
	certificateSecret = "jobflow-operator-webhook-server-cert"
)

// granted is what the bindings among the objects give the operator's account.
func granted(t *testing.T, objects []*unstructured.Unstructured) []grant {
	t.Helper()
	about := func(subjects []rbacv1.Subject) bool {
		return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Namespace == operatorNamespace && s.Name == operatorAccount
		})
	}
	var grants []grant
	for _, binding := range manifests.All[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding") {
		for _, role := range manifests.All[rbacv1.ClusterRole](t, objects, "ClusterRole") {
			if about(binding.Subjects) && binding.RoleRef.Kind == "ClusterRole" && binding.RoleRef.Name == role.Name {
				grants = append(grants, split("ClusterRole "+role.Name, "", role.Rules)...)
			}
		}
	}
	for _, binding := range manifests.All[rbacv1.RoleBinding](t, objects, "RoleBinding") {
		for _, role := range manifests.All[rbacv1.Role](t, objects, "Role") {
			if about(binding.Subjects) && binding.RoleRef.Kind == "Role" && binding.RoleRef.Name == role.Name && binding.Namespace == role.Namespace {
				grants = append(grants, split("Role "+role.Name, role.Namespace, role.Rules)...)
			}
		}
	}
	if len(grants) == 0 {
		t.Fatal("no binding is about the operator's account")
	}
	return grants
}

// bundled is what OLM gives the operator's account. A Role becomes one of all
// namespaces, since the operator watches them all.
func bundled(csv operators.ClusterServiceVersion) []grant {
	var grants []grant
	strategy := csv.Spec.InstallStrategy.StrategySpec
	for _, permissions := range slices.Concat(strategy.ClusterPermissions, strategy.Permissions) {
		grants = append(grants, split("bundle", "", permissions.Rules)...)
	}
	return grants
}

func TestPermissionsAreNarrow(t *testing.T) {
	reads := []string{"get", "list", "watch"}
	for name, grants := range map[string][]grant{
		"config/default": granted(t, kustomize.Build(t, "default")),
		"config/olm":     granted(t, kustomize.Build(t, "olm")),
		"bundle":         bundled(loadCSV(t)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, g := range grants {
				switch {
				case strings.ContainsRune(g.group+g.resource+g.name+g.verb, '*'):
					t.Errorf("a wildcard: %s", g)
				case g.resource == "nodes" && !slices.Contains(reads, g.verb), strings.HasPrefix(g.resource, "nodes/"):
					t.Errorf("more than reading nodes: %s", g)
				case g.resource == "secrets" && name != "config/default":
					t.Errorf("OLM makes the certificate, so the operator has nothing to do with Secrets: %s", g)
				case g.resource == "secrets" && g.namespace != operatorNamespace:
					t.Errorf("Secrets of other namespaces: %s", g)
				case g.resource == "secrets" && g.name != certificateSecret && g.verb != "create":
					// What is created has no name yet when it is authorized.
					t.Errorf("other Secrets than its certificate: %s", g)
				case g.verb == "escalate" || g.verb == "bind" || g.verb == "impersonate" ||
					strings.HasPrefix(g.group, "rbac.") || strings.HasPrefix(g.resource, "serviceaccounts"):
					t.Errorf("a way to more permissions: %s", g)
				case g.group == "admissionregistration.k8s.io" && g.name == "":
					t.Errorf("webhook configurations of others: %s", g)
				}
			}
		})
	}
}
