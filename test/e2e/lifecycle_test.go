package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

var _ = Describe("A JobFlow with a pod that runs", func() {
	running := func(seen *record, job string) {
		GinkgoHelper()
		Eventually(func() []*corev1.Pod { return seen.podsOf(job) }).Should(ContainElement(HaveField("Status.Phase", corev1.PodRunning)))
	}
	noPods := func(namespace string) func(context.Context) ([]string, error) {
		return func(ctx context.Context) ([]string, error) { return podNames(ctx, namespace) }
	}
	suspend := func(ctx context.Context, flow *v1alpha1.JobFlow, value string) {
		GinkgoHelper()
		kubectl(ctx, "patch", "jobflow", flow.Name, "--namespace", flow.Namespace,
			"--type=merge", "--patch", `{"spec":{"suspend":`+value+`}}`).succeeded()
	}

	It("has no pod while it is suspended, and completes the step afterwards with the same Job", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		seen := recordOfSpec(namespace)
		flow := flowOf(namespace, step("work", "sleep 6"), step("after", "true", "work"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		running(seen, "flow-work")

		suspend(ctx, flow, "true")
		Eventually(ctx, noPods(namespace)).Should(BeEmpty())
		Eventually(ctx, func(ctx context.Context) v1alpha1.State { return getFlow(ctx, namespace, "flow").Status.State }).
			Should(Equal(v1alpha1.StateSuspended))
		Expect(reasonOf(getFlow(ctx, namespace, "flow"), v1alpha1.ConditionSuspended)).To(Equal(v1alpha1.ReasonSuspended))
		Consistently(ctx, noPods(namespace)).Should(BeEmpty())

		suspend(ctx, flow, "false")
		expectEnd(ctx, flow, time.Minute, v1alpha1.StateSucceed)
		Expect(seen.created()).To(Equal(onceEach("flow-work", "flow-after")))
		Expect(seen.podsOf("flow-work")).To(HaveLen(2), "one pod before the suspension, one after it")
		Expect(seen.podsOf("flow-after")).To(HaveLen(1))
	})

	It("ends it when its deadline passes", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		seen := recordOfSpec(namespace)
		flow := flowOf(namespace, step("endless", "sleep 600"), step("after", "true", "endless"))
		flow.Spec.ActiveDeadlineSeconds = ptr.To[int64](8)
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		running(seen, "flow-endless")

		expectEnd(ctx, flow, time.Minute, v1alpha1.StateFailed)
		Expect(reasonOf(flow, v1alpha1.ConditionFailed)).To(Equal(v1alpha1.ReasonDeadlineExceeded))
		Expect(flow.Status.Message).To(ContainSubstring("activeDeadlineSeconds"))
		Expect(phases(flow.Status.Flows)).To(Equal(map[string]string{
			"endless": "Failed DeadlineExceeded",
			"after":   "Skipped DeadlineExceeded",
		}))
		Eventually(ctx, noPods(namespace)).Should(BeEmpty())
		Expect(flow.Status.CompletionTime.Sub(flow.Status.StartTime.Time)).To(BeNumerically(">=", 8*time.Second))
		Expect(seen.created()).To(Equal(onceEach("flow-endless")))
	})
})

var _ = Describe("A step whose Job lives no longer than it runs", func() {
	It("never runs again when its Job has vanished, and the JobFlow goes on", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		seen := recordOfSpec(namespace)
		brief := step("brief", "true")
		brief.JobTemplate.TTLSecondsAfterFinished = ptr.To[int32](0)
		flow := flowOf(namespace, brief, step("meanwhile", "sleep 6", "brief"), step("last", "true", "brief", "meanwhile"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())

		Eventually(func() map[string]int { return seen.created() }).Should(HaveKey("flow-brief"))
		Eventually(ctx, func(ctx context.Context) bool {
			return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "flow-brief"}, &batchv1.Job{}))
		}).Should(BeTrue())
		saw("Job flow-brief vanish")
		expectEnd(ctx, flow, time.Minute, v1alpha1.StateSucceed)

		Expect(run(flow.Status.Flows, "brief").Phase).To(Equal(v1alpha1.PhaseSucceeded))
		all := onceEach("flow-brief", "flow-meanwhile", "flow-last")
		Expect(seen.created()).To(Equal(all))
		Consistently(seen.created).Should(Equal(all))
	})
})
