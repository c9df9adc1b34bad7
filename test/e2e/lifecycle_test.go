package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var _ = Describe("A JobFlow with a pod that runs", func() {
	patch := func(ctx context.Context, flow *v1alpha1.JobFlow, spec string) {
		GinkgoHelper()
		cli.Kubectl(ctx, "patch", "jobflow", flow.Name, "--namespace", flow.Namespace, "--type=merge", "--patch", `{"spec":`+spec+`}`).Succeeded()
	}

	It("has no pod while it is suspended, and completes the step afterwards with the same Job", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		flow := flows.New(namespace, "flow", flows.Step("work", flows.Hold), flows.Step("after", "true", "work"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		seen.AwaitRunning("flow-work")

		patch(ctx, flow, `{"suspend":true}`)
		Eventually(ctx, k8s.PodNames).WithArguments(namespace).Should(BeEmpty())
		Eventually(ctx, func(ctx context.Context) v1alpha1.State { return getFlow(ctx, namespace, "flow").Status.State }).
			Should(Equal(v1alpha1.StateSuspended))
		Expect(reasonOf(getFlow(ctx, namespace, "flow"), v1alpha1.ConditionSuspended)).To(Equal(v1alpha1.ReasonSuspended))
		Consistently(ctx, k8s.PodNames).WithArguments(namespace).Should(BeEmpty())

		patch(ctx, flow, `{"suspend":false}`)
		k8s.Release(ctx, namespace, "flow-work")
		expectEnd(ctx, flow, v1alpha1.StateSucceed)
		Expect(seen.Created()).To(Equal(record.OnceEach("flow-work", "flow-after")))
		Expect(seen.PodsOf("flow-work")).To(HaveLen(2), "one pod before the suspension, one after it")
		Expect(seen.PodsOf("flow-after")).To(HaveLen(1))
	})

	It("ends it when its deadline passes", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		flow := flows.New(namespace, "flow", flows.Step("endless", flows.Hold), flows.Step("after", "true", "endless"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		seen.AwaitRunning("flow-endless")
		// A deadline set at creation could pass before the pod runs.
		patch(ctx, flow, `{"activeDeadlineSeconds":8}`)

		expectEnd(ctx, flow, v1alpha1.StateFailed)
		Expect(reasonOf(flow, v1alpha1.ConditionFailed)).To(Equal(v1alpha1.ReasonDeadlineExceeded))
		Expect(flow.Status.Message).To(ContainSubstring("activeDeadlineSeconds"))
		Expect(phases(flow.Status.Flows)).To(Equal(map[string]string{
			"endless": "Failed DeadlineExceeded",
			"after":   "Skipped DeadlineExceeded",
		}))
		Eventually(ctx, k8s.PodNames).WithArguments(namespace).Should(BeEmpty())
		Expect(flow.Status.CompletionTime.Sub(flow.Status.StartTime.Time)).To(BeNumerically(">=", 8*time.Second))
		Expect(seen.Created()).To(Equal(record.OnceEach("flow-endless")))
	})
})

var _ = Describe("A step whose Job lives no longer than it runs", func() {
	It("never runs again when its Job has vanished, and the JobFlow goes on", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		brief := flows.Step("brief", "true")
		brief.JobTemplate.TTLSecondsAfterFinished = ptr.To[int32](0)
		flow := flows.New(namespace, "flow", brief, flows.Step("meanwhile", flows.Hold, "brief"), flows.Step("last", "true", "brief", "meanwhile"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())

		Eventually(seen.Created).Should(HaveKey("flow-brief"))
		Eventually(ctx, func(ctx context.Context) bool {
			return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "flow-brief"}, &batchv1.Job{}))
		}).Should(BeTrue())
		testkit.Saw("Job flow-brief vanish")
		k8s.Release(ctx, namespace, "flow-meanwhile")
		expectEnd(ctx, flow, v1alpha1.StateSucceed)

		Expect(run(flow.Status.Flows, "brief").Phase).To(Equal(v1alpha1.PhaseSucceeded))
		all := record.OnceEach("flow-brief", "flow-meanwhile", "flow-last")
		Expect(seen.Created()).To(Equal(all))
		Consistently(seen.Created).Should(Equal(all))
	})
})
