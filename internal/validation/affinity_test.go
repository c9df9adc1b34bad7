package validation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestNodeAffinity(t *testing.T) {
	type terms = []corev1.NodeSelectorTerm
	expression := func(key string, operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
	}
	name := func(key string, operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
	}
	const at = "spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
	cases := map[string]struct {
		terms terms
		want  []string
	}{
		"by label":            {terms{expression("zone", corev1.NodeSelectorOpIn, "a", "b")}, nil},
		"by name":             {terms{name("metadata.name", corev1.NodeSelectorOpIn, "n1")}, nil},
		"an empty term":       {terms{{}}, nil},
		"no term":             {nil, []string{"FieldValueRequired " + at}},
		"an unknown operator": {terms{expression("zone", "Is", "a")}, []string{"FieldValueNotSupported " + at + "[0].matchExpressions[0].operator"}},
		"no values":           {terms{{}, expression("zone", corev1.NodeSelectorOpIn)}, []string{"FieldValueInvalid " + at + "[1].matchExpressions[0].values"}},
		"a malformed key":     {terms{expression("a zone", corev1.NodeSelectorOpExists)}, []string{"FieldValueInvalid " + at + "[0].matchExpressions[0].key"}},
		"an operator that fields do not support": {
			terms{name("metadata.name", corev1.NodeSelectorOpExists)},
			[]string{"FieldValueNotSupported " + at + "[0].matchFields[0].operator"},
		},
		"an unsupported field": {
			terms{name("metadata.uid", corev1.NodeSelectorOpIn, "x")},
			[]string{"FieldValueNotSupported " + at + "[0].matchFields[0].key"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dj := daemonJobWith(func(dj *v1alpha1.DaemonJob) {
				dj.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
					RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: c.terms},
				}}
			})
			if diff := cmp.Diff(c.want, fields(DaemonJob(dj))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
