// Package placement decides on which nodes a DaemonJob runs.
package placement

import (
	"slices"
	"strings"

	"github.com/go-logr/logr" //nolint:depguard // The scheduler's rules ask for a logger; they get one that drops everything.
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// Decision says whether a node runs a DaemonJob.
type Decision struct {
	Node string
	Run  bool
	// Reason and Message are set only for a node that is left out for a taint. The
	// other nodes that are left out were not meant; this one may have been, and
	// people look for it.
	Reason, Message string
}

// Decide judges every node as the DaemonSet controller judges it for a
// DaemonSet of the same pod template, and sorts the decisions by name. Nodes
// that are excluded, or ruled out by node selector or affinity, are not in the
// result.
//
// As for a DaemonSet, a node that is cordoned, not ready or being deleted is
// judged like any other: what it can no longer take, its taints say.
func Decide(dj *v1alpha1.DaemonJob, nodes []*corev1.Node) []Decision {
	excluded := Excluded(dj.Spec.ExcludeNodeList)
	pod := jobs.DaemonPodSpec(dj)
	// Parsed once: there may be thousands of nodes.
	affinity := nodeaffinity.NewRequiredNodeAffinity(pod.NodeSelector, pod.Affinity)

	var decisions []Decision
	for _, node := range nodes {
		if excluded.Has(node.Name) {
			continue
		}
		// An affinity that cannot be parsed matches no node. It is an error of the spec,
		// which is found before this.
		if fits, _ := affinity.Match(node); !fits {
			continue
		}
		decision := Decision{Node: node.Name, Run: true}
		if taint, found := untolerated(node.Spec.Taints, pod.Tolerations); found {
			decision.Run = false
			decision.Reason = v1alpha1.ReasonUntoleratedTaint
			decision.Message = jobs.Clip("the pod template does not tolerate the taint " + taint.ToString())
		}
		decisions = append(decisions, decision)
	}
	slices.SortFunc(decisions, func(a, b Decision) int { return strings.Compare(a.Node, b.Node) })
	return decisions
}

// Excluded parses excludeNodeList: names separated by commas. Blanks around a
// name and empty entries are ignored.
func Excluded(list string) sets.Set[string] {
	names := sets.New[string]()
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names.Insert(name)
		}
	}
	return names
}

// untolerated is the first taint that keeps the pod off a node. A
// PreferNoSchedule taint does not.
func untolerated(taints []corev1.Taint, tolerations []corev1.Toleration) (corev1.Taint, bool) {
	keepsOff := func(taint *corev1.Taint) bool {
		return taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute
	}
	// The operators Lt and Gt count. A cluster that does not have them refuses the
	// Job with a message, which is better than leaving nodes out because of them.
	const comparisonOperators = true
	return scheduling.FindMatchingUntoleratedTaint(logr.Discard(), taints, tolerations, keepsOff, comparisonOperators)
}
