package checks

import "testing"

func TestRBACWildcards(t *testing.T) {
	const name = "jobflow-rbac-wildcards"
	expectFindings(t, name, map[string]finding{
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
		// Such a bundle was not read as it should be.
		"no permissions at all": {
			edits: []edit{{csvFile, "clusterPermissions:", "others:"}, {csvFile, "      permissions:", "      more:"}},
			want:  cannotTell(name, csvFile+": spec.install.spec has no permissions at all; run make bundle"),
		},
	})
}
