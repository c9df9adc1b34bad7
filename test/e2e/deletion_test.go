package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var _ = Describe("A JobFlow that is deleted", func() {
	It("takes its Jobs and their pods along", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		flow := flows.New(namespace, "flow", flows.Step("ended", "true"), flows.Step("running", flows.Hold, "ended"), flows.Step("never", "true", "running"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		seen.AwaitRunning("flow-running")

		cli.Kubectl(ctx, "delete", "jobflow", "flow", "--namespace", namespace).Succeeded()
		Eventually(ctx, func(ctx context.Context) ([]batchv1.Job, error) {
			var jobs batchv1.JobList
			err := k8s.List(ctx, &jobs, client.InNamespace(namespace))
			return jobs.Items, err
		}).Should(BeEmpty())
		Eventually(ctx, k8s.PodNames).WithArguments(namespace).Should(BeEmpty())
		Expect(seen.Created()).To(Equal(record.OnceEach("flow-ended", "flow-running")))
	})
})
