package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var _ = Describe("An operator that is killed in the middle of a JobFlow, and later ended", func() {
	It("goes on where it was, and runs no step twice", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		flow := flows.New(namespace, "flow",
			flows.Step("first", flows.Hold),
			flows.Step("long", flows.Hold, "first"),
			flows.Step("short", "sleep 3", "first"),
			flows.Step("last", "true", "long", "short"),
		)
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		// The next spec needs an operator that answers.
		DeferCleanup(func(ctx SpecContext) { k8s.AwaitAdmission(ctx, "default") })

		// The moment after a Job was created is the one in which status may not know
		// of it yet. The held steps end once that operator has gone: one that is killed
		// leaves the lease to run out, one that is ended gives it back at once.
		Eventually(seen.Created).Should(Equal(record.OnceEach("flow-first")))
		deleteOperatorPods(ctx, "--grace-period=0", "--force")
		k8s.Release(ctx, namespace, "flow-first")
		Eventually(seen.Created).Should(Equal(record.OnceEach("flow-first", "flow-long", "flow-short")))
		deleteOperatorPods(ctx)
		k8s.Release(ctx, namespace, "flow-long")

		expectEnd(ctx, flow, v1alpha1.StateSucceed)
		expectOrder(flow, seen)
		all := record.OnceEach("flow-first", "flow-long", "flow-short", "flow-last")
		Expect(seen.Created()).To(Equal(all))
		Consistently(seen.Created).Should(Equal(all))
		for job := range all {
			Expect(seen.PodsOf(job)).To(HaveLen(1), job)
		}
		for i := range flow.Status.Flows {
			Expect(flow.Status.Flows[i].Attempt).To(BeEquivalentTo(1), flow.Status.Flows[i].Name)
		}
	})
})

// deleteOperatorPods deletes the operator's pods with kubectl, which returns when they have
// ended unless it is told otherwise, and waits for another one that is ready.
func deleteOperatorPods(ctx context.Context, arguments ...string) {
	GinkgoHelper()
	before, err := k8s.OperatorPods(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(before).NotTo(BeEmpty())
	for i := range before {
		cli.Kubectl(ctx, append([]string{"delete", "pod", before[i].Name, "--namespace", before[i].Namespace}, arguments...)...).Succeeded()
	}
	Eventually(ctx, k8s.OperatorPods).Should(ContainElement(And(
		HaveField("Status.Conditions", cluster.Ready),
		HaveField("UID", Not(Equal(before[0].UID))),
	)))
	testkit.Saw("another pod of the operator")
}
