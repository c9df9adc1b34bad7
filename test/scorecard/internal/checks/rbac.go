package checks

import (
	"context"
	"errors"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// rbacWildcards lets nobody have more than is named: not the operator, and not the
// people who are given the bundle's roles.
func rbacWildcards(_ context.Context, env *Environment, r *report) error {
	strategy := env.Bundle.CSV.Spec.InstallStrategy.StrategySpec
	install := field.NewPath("spec", "install", "spec")
	rules := 0
	for i, permission := range strategy.ClusterPermissions {
		rules += checkRules(r, env.Bundle.CSVFile, install.Child("clusterPermissions").Index(i).Child("rules"), permission.Rules)
	}
	for i, permission := range strategy.Permissions {
		rules += checkRules(r, env.Bundle.CSVFile, install.Child("permissions").Index(i).Child("rules"), permission.Rules)
	}
	if rules == 0 {
		return errors.New(env.Bundle.CSVFile + ": spec.install.spec has no permissions at all; run make bundle")
	}
	roles, err := manifestsOf[rbacv1.ClusterRole](env.Bundle, "ClusterRole", "Role")
	if err != nil {
		return err
	}
	for path, role := range roles {
		rules += checkRules(r, path, field.NewPath("rules"), role.Rules)
	}
	r.logf("%d rules", rules)
	return nil
}

func checkRules(r *report, file string, path *field.Path, rules []rbacv1.PolicyRule) int {
	for i, rule := range rules {
		for part, words := range map[string][]string{
			"apiGroups": rule.APIGroups, "resources": rule.Resources, "verbs": rule.Verbs, "nonResourceURLs": rule.NonResourceURLs,
		} {
			for j, word := range words {
				if strings.Contains(word, "*") {
					r.errorf("%s: %s: %q is a wildcard; name each of the %s that are needed", file, path.Index(i).Child(part).Index(j), word, part)
				}
			}
		}
	}
	return len(rules)
}
