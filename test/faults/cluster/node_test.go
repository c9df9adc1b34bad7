package cluster

import (
	"context"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
)

// nodes are the cluster's.
var nodes []string

func findNodes(ctx context.Context) {
	GinkgoHelper()
	nodes = sets.List(k8s.Nodes(ctx))
	Expect(len(nodes)).To(BeNumerically(">=", 3), "nodes: one is lost, and the operator has two replicas elsewhere")
}

// networkNode is the node that kube-proxy goes by, which ends when it is deleted. On
// machines of their own nodes would each have a kube-proxy.
const networkNode = "minikube"

// placeOperator keeps the operator off the one node that cannot be deleted.
func placeOperator(ctx context.Context) {
	GinkgoHelper()
	DeferCleanup(func(ctx SpecContext) {
		patchOperator(ctx, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Affinity = nil })
	})
	patchOperator(ctx, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchFields: []corev1.NodeSelectorRequirement{{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpNotIn, Values: []string{networkNode}}},
			}}},
		}}
	})
}

// loseNode cuts the power of the node with the leader, for as long as the cluster takes
// to notice.
func loseNode(ctx context.Context, t *trial, leader *corev1.Pod) {
	GinkgoHelper()
	cutPower(ctx, t, leader)
	switchOn(ctx, t, leader.Spec.NodeName)
}

// loseNodeForGood deletes the node object, as who runs a cluster does with a machine
// that is broken. Another of the same name joins later.
func loseNodeForGood(ctx context.Context, t *trial, leader *corev1.Pod) {
	GinkgoHelper()
	cutPower(ctx, t, leader)
	node := leader.Spec.NodeName
	Expect(k8s.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}})).To(Succeed())
	testkit.Saw("node %s deleted", node)
	// Those that wait for nothing else have to end without it.
	t.awaitSkipped(ctx, node)
	switchOn(ctx, t, node)
}

func cutPower(ctx context.Context, t *trial, leader *corev1.Pod) {
	GinkgoHelper()
	cut := time.Now()
	devcluster(ctx, "kill-node", leader.Spec.NodeName)
	awaitSuccessor(ctx, t, leader, cut)
	awaitNode(ctx, leader.Spec.NodeName, corev1.ConditionUnknown)
	t.part.Add("from the power cut to a node that is NotReady", seconds(time.Since(cut)))
}

func switchOn(ctx context.Context, t *trial, node string) {
	GinkgoHelper()
	on := time.Now()
	devcluster(ctx, "up")
	awaitNode(ctx, node, corev1.ConditionTrue)
	t.part.Add("from switching it on to a node that is Ready", seconds(time.Since(on)))
}

// awaitNode waits until the cluster takes a node for ready, or for lost.
func awaitNode(ctx context.Context, name string, status corev1.ConditionStatus) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]corev1.NodeCondition, error) {
		var node corev1.Node
		err := k8s.Get(ctx, client.ObjectKey{Name: name}, &node)
		return node.Status.Conditions, err
	}).WithTimeout(awaited).Should(ContainElement(And(
		HaveField("Type", corev1.NodeReady),
		HaveField("Status", status),
	)), "node %s", name)
}

// awaitSkipped waits until the DaemonJobs that end without a node have done so.
func (t *trial) awaitSkipped(ctx context.Context, node string) {
	GinkgoHelper()
	rest := *t
	rest.workloads = slices.DeleteFunc(slices.Clone(t.workloads), func(w workload) bool { return w.phases[node] == "" })
	Expect(rest.workloads).NotTo(BeEmpty())
	rest.awaitEnds(ctx)
}
