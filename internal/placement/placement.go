// Package placement decides on which nodes a DaemonJob runs.
package placement

import (
	"slices"
	"strings"

	"github.com/go-logr/logr" //nolint:depguard // The scheduler's rules require a logger; they get one that discards everything.
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// Decision is whether a node runs a DaemonJob.
type Decision struct {
	Node string
	Run  bool
	// Reason and Message are set only for a node that is left out because of a taint.
	// The DaemonJob excludes the other nodes itself, but its author may expect this one.
	Reason, Message string
}

// Decide applies to every node the rules of the DaemonSet controller for a DaemonSet with
// the same pod template, and sorts the decisions by node name. Nodes that are excluded, or
// ruled out by node selector or affinity, are not in the result.
//
// As for a DaemonSet, a node that is cordoned, not ready or being deleted is treated like
// any other; its taints keep pods away.
func Decide(dj *v1alpha1.DaemonJob, nodes []*corev1.Node) []Decision {
	excluded := Excluded(dj.Spec.ExcludeNodeList)
	pod := jobs.DaemonPodSpec(dj)
	// Parsed only once, since there may be thousands of nodes.
	affinity := nodeaffinity.NewRequiredNodeAffinity(pod.NodeSelector, pod.Affinity)

	var decisions []Decision
	for _, node := range nodes {
		if excluded.Has(node.Name) {
			continue
		}
		// An affinity that cannot be parsed matches no node. Validation reports it before.
		if fits, _ := affinity.Match(node); !fits {
			continue
		}
		decision := Decision{Node: node.Name, Run: true}
		if taint, found := firstUntolerated(node.Spec.Taints, pod.Tolerations); found {
			decision.Run = false
			decision.Reason = v1alpha1.ReasonUntoleratedTaint
			decision.Message = jobs.Clip("the pod template does not tolerate the taint " + taint.ToString())
		}
		decisions = append(decisions, decision)
	}
	slices.SortFunc(decisions, func(a, b Decision) int { return strings.Compare(a.Node, b.Node) })
	return decisions
}

// Excluded parses excludeNodeList: names separated by commas. Whitespace around a name and
// empty entries are ignored.
func Excluded(list string) sets.Set[string] {
	names := sets.New[string]()
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names.Insert(name)
		}
	}
	return names
}

// firstUntolerated returns the first taint that keeps the pod off a node. A
// PreferNoSchedule taint does not.
func firstUntolerated(taints []corev1.Taint, tolerations []corev1.Toleration) (corev1.Taint, bool) {
	keepsOff := func(taint *corev1.Taint) bool {
		return taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute
	}
	// Allow the operators Lt and Gt. A cluster without them refuses the Job with a
	// message, which is better than leaving nodes out because of them.
	const comparisonOperators = true
	return scheduling.FindMatchingUntoleratedTaint(logr.Discard(), taints, tolerations, keepsOff, comparisonOperators)
}
