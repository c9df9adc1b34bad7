package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var _ = Describe("An operator that is killed in the middle of a JobFlow, and again", func() {
	It("goes on where it was, and runs no step twice", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		seen := recordOfSpec(namespace)
		created := func() map[string]int { return seen.created() }
		flow := flowOf(namespace,
			step("first", "sleep 1"),
			step("long", "sleep 8", "first"),
			step("short", "sleep 3", "first"),
			step("last", "true", "long", "short"),
		)
		Expect(k8s.Create(ctx, flow)).To(Succeed())

		// The moment after a Job was created is the one in which status may not know
		// of it yet; and its end comes while another operator starts.
		Eventually(created).Should(Equal(onceEach("flow-first")))
		killOperator(ctx)
		Eventually(created).Should(Equal(onceEach("flow-first", "flow-long", "flow-short")))
		killOperator(ctx)

		expectEnd(ctx, flow, 2*time.Minute, v1alpha1.StateSucceed)
		expectOrder(flow, seen)
		all := onceEach("flow-first", "flow-long", "flow-short", "flow-last")
		Expect(seen.created()).To(Equal(all))
		Consistently(seen.created).Should(Equal(all))
		for job := range all {
			Expect(seen.podsOf(job)).To(HaveLen(1), job)
		}
		for i := range flow.Status.Flows {
			Expect(flow.Status.Flows[i].Attempt).To(BeEquivalentTo(1), flow.Status.Flows[i].Name)
		}
	})
})

// killOperator deletes the operator's pods as kubectl delete --grace-period=0
// --force does. The spec ends only when admission answers again.
func killOperator(ctx context.Context) {
	GinkgoHelper()
	before, err := operatorPods(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(before).NotTo(BeEmpty())
	DeferCleanup(awaitAdmission, NodeTimeout(2*time.Minute))
	for i := range before {
		kubectl(ctx, "delete", "pod", before[i].Name, "--namespace", before[i].Namespace, "--grace-period=0", "--force").succeeded()
	}
	Eventually(ctx, operatorPods).Should(ContainElement(And(
		HaveField("Status.Conditions", ready),
		HaveField("UID", Not(Equal(before[0].UID))),
	)))
	saw("another pod of the operator")
}

// awaitAdmission waits until a JobFlow would be taken.
func awaitAdmission(ctx SpecContext) {
	Eventually(ctx, func(ctx context.Context) error {
		flow := flowOf("default", step("a", "true"))
		flow.Name, flow.GenerateName = "", "e2e-"
		return k8s.Create(ctx, flow, client.DryRunAll)
	}).Should(Succeed())
}
