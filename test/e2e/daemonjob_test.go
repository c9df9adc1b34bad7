package e2e

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var _ = Describe("A DaemonJob", func() {
	It("runs on every node that it is for, and leaves out one with a taint and says so", func(ctx SpecContext) {
		needNodes(ctx, minikube, node1, node2)
		taintNode(ctx, node2, corev1.Taint{Key: "e2e.api.practice.com/keep-off", Effect: corev1.TaintEffectNoSchedule})
		namespace, seen := newNamespace(ctx)

		dj := &v1alpha1.DaemonJob{ObjectMeta: metav1.ObjectMeta{Name: "daemon", Namespace: namespace}}
		dj.Spec.JobSpec = *flows.Shell(`echo "on $NODE"`)
		dj.Spec.GlobalParams = &v1alpha1.CommonParams{Env: []corev1.EnvVar{{
			Name:      "NODE",
			ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}},
		}}}
		dj.Spec.ExcludeNodeList = strings.Join(k8s.Nodes(ctx).Delete(minikube, node1, node2).UnsortedList(), ", ")
		Expect(k8s.Create(ctx, dj)).To(Succeed())
		expectEnd(ctx, dj, v1alpha1.StateSucceed)

		Expect(phases(dj.Status.Nodes)).To(Equal(map[string]string{
			minikube: "Succeeded",
			node1:    "Succeeded",
			node2:    "Skipped UntoleratedTaint",
		}))
		Expect(run(dj.Status.Nodes, node2).Message).To(ContainSubstring("e2e.api.practice.com/keep-off"))
		Expect(dj.Status.Progress).To(Equal("2/2"))
		Expect(seen.Created()).To(Equal(record.OnceEach("daemon-minikube", "daemon-node1")))
		for node, job := range map[string]string{minikube: "daemon-minikube", node1: "daemon-node1"} {
			pod := seen.PodOf(job)
			Expect(pod.Spec.NodeName).To(Equal(node))
			Expect(k8s.Logs(ctx, pod, "main")).To(Equal("on " + node + "\n"))
		}
	})
})

// taintNode taints a node for as long as the spec lasts.
func taintNode(ctx context.Context, name string, taint corev1.Taint) {
	GinkgoHelper()
	isIt := func(t corev1.Taint) bool { return t.MatchTaint(&taint) }
	change := func(ctx context.Context, edit func([]corev1.Taint) []corev1.Taint) {
		GinkgoHelper()
		Eventually(ctx, func(ctx context.Context) error {
			node := &corev1.Node{}
			if err := k8s.Get(ctx, client.ObjectKey{Name: name}, node); err != nil {
				return err
			}
			node.Spec.Taints = edit(node.Spec.Taints)
			return k8s.Update(ctx, node)
		}).Should(Succeed())
	}
	DeferCleanup(func(ctx SpecContext) {
		change(ctx, func(taints []corev1.Taint) []corev1.Taint { return slices.DeleteFunc(taints, isIt) })
	})
	change(ctx, func(taints []corev1.Taint) []corev1.Taint { return append(slices.DeleteFunc(taints, isIt), taint) })
}
