package jobs

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// requireNode adds a required affinity for the node of this name to the pod. It uses the
// field metadata.name and not the label kubernetes.io/hostname, which may differ from the
// node's name.
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
	// A node that matches any term is eligible, so every term needs the requirement.
	for i := range required.NodeSelectorTerms {
		term := &required.NodeSelectorTerms[i]
		// An empty term selects nothing; with the requirement added it would select the
		// node. An empty list of terms also stays empty, so the API server refuses it.
		if len(term.MatchExpressions) == 0 && len(term.MatchFields) == 0 {
			continue
		}
		exists := slices.ContainsFunc(term.MatchFields, func(r corev1.NodeSelectorRequirement) bool {
			return equality.Semantic.DeepEqual(r, onNode)
		})
		if !exists {
			term.MatchFields = append(term.MatchFields, *onNode.DeepCopy())
		}
	}
}
