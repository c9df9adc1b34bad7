package jobs

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// requireNode adds to the pod's affinity that it runs on the node of this name
// only. It goes by the field metadata.name and not by the label
// kubernetes.io/hostname, which may be another name than the node's.
func requireNode(pod *corev1.PodSpec, node string) {
	onNode := corev1.NodeSelectorRequirement{
		Key:      metav1.ObjectNameField,
		Operator: corev1.NodeSelectorOpIn,
		Values:   []string{node},
	}
	if pod.Affinity == nil {
		pod.Affinity = &corev1.Affinity{}
	}
	if pod.Affinity.NodeAffinity == nil {
		pod.Affinity.NodeAffinity = &corev1.NodeAffinity{}
	}
	required := pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if required == nil {
		pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{onNode}}},
		}
		return
	}
	// One term is enough for a node to be taken, so the node has to be in each.
	for i := range required.NodeSelectorTerms {
		term := &required.NodeSelectorTerms[i]
		// A term without requirements selects nothing; with ours it would select the
		// node. A list without terms, which the API server refuses, stays so as well.
		if len(term.MatchExpressions) == 0 && len(term.MatchFields) == 0 {
			continue
		}
		there := slices.ContainsFunc(term.MatchFields, func(r corev1.NodeSelectorRequirement) bool {
			return equality.Semantic.DeepEqual(r, onNode)
		})
		if !there {
			term.MatchFields = append(term.MatchFields, *onNode.DeepCopy())
		}
	}
}
