package checks

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
)

func TestRBACWildcards(t *testing.T) {
	const name = "jobflow-rbac-wildcards"
	for scenario, tc := range map[string]struct {
		edits []edit
		want  v1alpha3.TestResult
	}{
		"all is named": {want: pass(name)},
		"a wildcard in the operator's cluster permissions": {
			edits: []edit{{csvFile, "resources: [jobs]", `resources: [jobs, "*"]`}},
			want: fail(name, csvFile+`: spec.install.spec.clusterPermissions[0].rules[0].resources[1]: "*" is a wildcard; `+
				`name each of the resources that are needed`),
		},
		"a wildcard in its permissions in its namespace": {
			edits: []edit{{csvFile, "verbs: [get]", `verbs: ["*"]`}},
			want: fail(name, csvFile+`: spec.install.spec.permissions[0].rules[0].verbs[0]: "*" is a wildcard; `+
				`name each of the verbs that are needed`),
		},
		"wildcards in a role for people, and in a part of a word": {
			edits: []edit{
				{"manifests/viewer.yaml", "apiGroups: [example.com]", `apiGroups: ["*"]`},
				{"manifests/viewer.yaml", "resources: [things]", `resources: ["things/*"]`},
			},
			want: fail(name,
				`manifests/viewer.yaml: rules[0].apiGroups[0]: "*" is a wildcard; name each of the apiGroups that are needed`,
				`manifests/viewer.yaml: rules[0].resources[0]: "things/*" is a wildcard; name each of the resources that are needed`),
		},
	} {
		t.Run(scenario, func(t *testing.T) {
			got := run(t, name, &Environment{Bundle: load(t, bundleWith(t, tc.edits...))})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// No permissions at all is a bundle that was not read as it should be.
func TestRBACWildcardsNeedsRules(t *testing.T) {
	b := load(t, bundleWith(t, edit{csvFile, "clusterPermissions:", "others:"}, edit{csvFile, "      permissions:", "      more:"}))
	if got := run(t, "jobflow-rbac-wildcards", &Environment{Bundle: b}); got.State != v1alpha3.ErrorState {
		t.Errorf("not an error: %v", got)
	}
}
