package e2e

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var _ = Describe("A JobFlow that starts on PodsSucceeded", func() {
	It("starts steps before the Jobs that they depend on are Complete, in order and once each", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		// One watch sees what happens to all Jobs in the order in which it happened.
		watcher, err := k8s.Clientset.BatchV1().Jobs(namespace).Watch(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(watcher.Stop)

		const steps = 6
		flow := flows.New(namespace, "flow", flows.Step("s0", "true"))
		for i := 1; i < steps; i++ {
			flow.Spec.Flows = append(flow.Spec.Flows, flows.Step(fmt.Sprint("s", i), "true", fmt.Sprint("s", i-1)))
		}
		flow.Spec.StartOn = v1alpha1.StartOnPodsSucceeded
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		expectEnd(ctx, flow, v1alpha1.StateSucceed)

		created, complete := map[string]int{}, map[string]int{}
		for moment := 0; len(complete) < steps; moment++ {
			var event watch.Event
			Eventually(watcher.ResultChan()).Should(Receive(&event), "the watch broke off")
			job, ok := event.Object.(*batchv1.Job)
			Expect(ok).To(BeTrue(), "the watch broke off: %v", event.Object)
			if _, known := created[job.Name]; !known {
				created[job.Name] = moment
			}
			if _, known := complete[job.Name]; !known && flows.JobIs(job, batchv1.JobComplete) {
				complete[job.Name] = moment
			}
		}
		early := 0
		for i := 1; i < steps; i++ {
			before, after := fmt.Sprint("flow-s", i-1), fmt.Sprint("flow-s", i)
			Expect(created[after]).To(BeNumerically(">", created[before]))
			if created[after] < complete[before] {
				early++
			}
			_, end := ranFromTo(seen.EndedPodsOf(before)[0])
			Expect(seen.EndedPodsOf(after)[0].CreationTimestamp.Time).NotTo(BeTemporally("<", end), "pod of %s, while that of %s ran", after, before)
		}
		took := getFlow(ctx, namespace, "flow").Status
		testkit.Saw("%d of %d steps started before the Job that they depend on was Complete; the chain took %s",
			early, steps-1, took.CompletionTime.Sub(took.StartTime.Time))
		Expect(early).To(BeNumerically(">", 0))
		Expect(seen.Created()).To(Equal(record.OnceEach("flow-s0", "flow-s1", "flow-s2", "flow-s3", "flow-s4", "flow-s5")))
	})
})
