package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

var _ = Describe("A step whose pod cannot start", func() {
	It("says what it waits for: an image that is not there, a node that is not there", func(ctx SpecContext) {
		namespace, _ := newNamespace(ctx)
		noImage := flows.Step("no-image", "true")
		// No name server knows a name under .invalid.
		noImage.JobTemplate.Template.Spec.Containers[0].Image = "registry.invalid/nobody/nothing:v1"
		noNode := flows.Step("no-node", "true")
		noNode.JobTemplate.Template.Spec.NodeSelector = map[string]string{"e2e.api.practice.com/nowhere": "true"}
		Expect(k8s.Create(ctx, flows.New(namespace, "flow", noImage, noNode, flows.Step("after", "true", "no-image")))).To(Succeed())

		Eventually(ctx, func(ctx context.Context) map[string]string {
			return phases(getFlow(ctx, namespace, "flow").Status.Flows)
		}).Should(Equal(map[string]string{
			"no-image": "Waiting ImagePull",
			"no-node":  "Waiting Unschedulable",
			"after":    "Waiting Dependency",
		}))
		flow := getFlow(ctx, namespace, "flow")
		for i := range flow.Status.Flows {
			testkit.Saw("%s: %s", flow.Status.Flows[i].Name, flow.Status.Flows[i].Message)
		}
		Expect(run(flow.Status.Flows, "no-image").Message).To(ContainSubstring("registry.invalid/nobody/nothing:v1"))
		Expect(run(flow.Status.Flows, "no-node").Message).To(ContainSubstring("node"))
		Expect(flow.Status.State).To(Equal(v1alpha1.StateRunning))
		Expect(flow.Status.Message).To(ContainSubstring("step no-image: "))
	})
})
