package jobs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestRequireNode(t *testing.T) {
	ssd := corev1.NodeSelectorRequirement{Key: "disk", Operator: corev1.NodeSelectorOpIn, Values: []string{"ssd"}}
	gpu := corev1.NodeSelectorRequirement{Key: "gpu", Operator: corev1.NodeSelectorOpExists}
	notNode2 := corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: corev1.NodeSelectorOpNotIn, Values: []string{"node2"}}
	preferred := []corev1.PreferredSchedulingTerm{{Weight: 1, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{ssd}}}}
	podAffinity := &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{TopologyKey: "zone"}}}
	expressions := func(r ...corev1.NodeSelectorRequirement) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: r}
	}
	bound := func(term corev1.NodeSelectorTerm) corev1.NodeSelectorTerm {
		term.MatchFields = append(term.MatchFields, isNode("node1"))
		return term
	}

	cases := map[string]struct{ affinity, want *corev1.Affinity }{
		"no affinity": {
			nil,
			onlyNode("node1"),
		},
		"pod affinity only": {
			&corev1.Affinity{PodAffinity: podAffinity},
			&corev1.Affinity{PodAffinity: podAffinity, NodeAffinity: onlyNode("node1").NodeAffinity},
		},
		"preferred only": {
			&corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: preferred}},
			&corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: preferred,
				RequiredDuringSchedulingIgnoredDuringExecution:  onlyNode("node1").NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution,
			}},
		},
		"every term is bound": {
			required(expressions(ssd), expressions(gpu)),
			required(bound(expressions(ssd)), bound(expressions(gpu))),
		},
		"a term with fields keeps them": {
			required(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{notNode2}}),
			required(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{notNode2, isNode("node1")}}),
		},
		"a term that selects nothing still does": {
			required(corev1.NodeSelectorTerm{}, expressions(ssd)),
			required(corev1.NodeSelectorTerm{}, bound(expressions(ssd))),
		},
		"only a term that selects nothing": {
			required(corev1.NodeSelectorTerm{}),
			required(corev1.NodeSelectorTerm{}),
		},
		"a list without terms": {
			required(),
			required(),
		},
		"bound to the node already": {
			onlyNode("node1"),
			onlyNode("node1"),
		},
		"bound to another node": {
			onlyNode("node2"),
			onlyNode("node2", "node1"),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.PodSpec{Affinity: c.affinity.DeepCopy()}
			requireNode(pod, "node1")
			if diff := cmp.Diff(c.want, pod.Affinity); diff != "" {
				t.Errorf("affinity (-want +got):\n%s", diff)
			}
		})
	}
}
