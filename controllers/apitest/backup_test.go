package apitest_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// docs/guide/running.md describes how to restore.
var _ = Describe("JobFlows that are restored from a backup, with their status, before the operator is back", func() {
	It("do nothing again", func() {
		ns := newNamespace()
		op := startOperator(ns)
		names := []string{"done", "half"}
		Expect(k8s.Create(ctx, build.Flow(ns, "done", step("a")))).To(Succeed())
		Expect(k8s.Create(ctx, build.Flow(ns, "half", step("a"), step("b", "a"), step("c", "b"), step("d")))).To(Succeed())
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("done-a", "half-a", "half-d"))
		complete(ns, "done-a")
		complete(ns, "half-a")
		Eventually(flowState(ns, "done")).Should(Equal(v1alpha1.StateSucceed))
		Eventually(flowPhases(ns, "half")).Should(HaveKeyWithValue("b", "Running"))
		complete(ns, "half-d")
		Eventually(flowPhases(ns, "half")).Should(HaveKeyWithValue("d", "Succeeded"))
		op.stop()

		By("losing everything but the backup")
		var backup []*v1alpha1.JobFlow
		for _, name := range names {
			flow := getFlow(ns, name)
			backup = append(backup, flow.DeepCopy())
			Expect(k8s.Delete(ctx, flow)).To(Succeed())
		}
		for _, job := range jobNames(ns) {
			deleteJob(ns, job)
		}
		for _, saved := range backup {
			restored := saved.DeepCopy()
			restored.ObjectMeta = metav1.ObjectMeta{Namespace: ns, Name: saved.Name}
			Expect(k8s.Create(ctx, restored)).To(Succeed())
			restored.Status = saved.Status
			Expect(k8s.Status().Update(ctx, restored)).To(Succeed())
		}

		DeferCleanup(startOperator(ns).stop)
		Eventually(flowState(ns, "half")).Should(Equal(v1alpha1.StateFailed))
		Expect(flowPhases(ns, "half")(Default)).To(Equal(map[string]string{
			"a": "Succeeded", "b": "Failed/JobDeleted", "c": "Skipped/DependencyFailed", "d": "Succeeded",
		}))
		Consistently(jobNames).WithArguments(ns).Should(BeEmpty())
		Expect(flowState(ns, "done")(Default)).To(Equal(v1alpha1.StateSucceed))
	})
})

func getFlow(namespace, name string) *v1alpha1.JobFlow {
	GinkgoHelper()
	flow := &v1alpha1.JobFlow{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, flow)).To(Succeed())
	return flow
}
