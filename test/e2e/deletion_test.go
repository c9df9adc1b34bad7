package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("A JobFlow that is deleted", func() {
	It("takes its Jobs and their pods along", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		seen := recordOfSpec(namespace)
		flow := flowOf(namespace, step("ended", "true"), step("running", "sleep 600", "ended"), step("never", "true", "running"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		Eventually(func() any { return seen.podsOf("flow-running") }).Should(ContainElement(HaveField("Status.Phase", BeEquivalentTo("Running"))))

		kubectl(ctx, "delete", "jobflow", "flow", "--namespace", namespace).succeeded()
		Eventually(ctx, func(ctx context.Context) ([]batchv1.Job, error) {
			var jobs batchv1.JobList
			err := k8s.List(ctx, &jobs, client.InNamespace(namespace))
			return jobs.Items, err
		}).Should(BeEmpty())
		Eventually(ctx, func(ctx context.Context) ([]string, error) { return podNames(ctx, namespace) }).Should(BeEmpty())
		Expect(seen.created()).To(Equal(onceEach("flow-ended", "flow-running")))
	})
})
