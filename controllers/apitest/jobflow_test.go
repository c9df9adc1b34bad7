package apitest_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

var _ = Describe("JobFlow", func() {
	var (
		op *operator
		ns string
	)
	BeforeEach(func() {
		ns = newNamespace()
		op = startOperator(ns)
		DeferCleanup(op.stop)
	})

	create := func(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
		GinkgoHelper()
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		return flow
	}

	It("runs the steps of the published example in order", func() {
		create(build.Flow(ns, "jobflow-example",
			step("job1"), step("job2", "job1"), step("job3", "job1", "job2"), step("job4"), step("job5", "job4", "job2")))

		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("jobflow-example-job1", "jobflow-example-job4"))
		Eventually(flowState(ns, "jobflow-example")).Should(Equal(v1alpha1.StateRunning))
		Consistently(jobNames).WithArguments(ns).Should(HaveLen(2))

		complete(ns, "jobflow-example-job1")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("jobflow-example-job2"))
		complete(ns, "jobflow-example-job2")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("jobflow-example-job3"))
		Consistently(jobNames).WithArguments(ns).ShouldNot(ContainElement("jobflow-example-job5"))
		complete(ns, "jobflow-example-job4")
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(5))
		complete(ns, "jobflow-example-job3")
		complete(ns, "jobflow-example-job5")
		Eventually(flowState(ns, "jobflow-example")).Should(Equal(v1alpha1.StateSucceed))

		status := flowStatus(ns, "jobflow-example")(Default)
		Expect(status.Progress).To(Equal("5/5"))
		Expect(status.CompletionTime).NotTo(BeNil())
		Expect(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionComplete)).To(BeTrue())
		Expect(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		for _, run := range status.Flows {
			Expect(run.Attempt).To(BeEquivalentTo(1))
		}
		Eventually(eventReasons).WithArguments(ns, "jobflow-example").Should(ContainElements("JobCreated", "Completed"))
	})

	It("starts nothing new after a failure and lets what runs finish", func() {
		create(build.Flow(ns, "broken",
			step("job1"), step("job2-error-container", "job1"), step("job3", "job2-error-container"), step("job4"), step("job5", "job4")))
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(2))
		complete(ns, "broken-job1")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("broken-job2-error-container"))
		fail(ns, "broken-job2-error-container")
		Eventually(flowPhases(ns, "broken")).Should(Equal(map[string]string{
			"job1":                 "Succeeded",
			"job2-error-container": "Failed/BackoffLimitExceeded",
			"job3":                 "Skipped/DependencyFailed",
			"job4":                 "Running",
			"job5":                 "Skipped/FlowFailed",
		}))
		Expect(flowState(ns, "broken")(Default)).To(Equal(v1alpha1.StateRunning))
		complete(ns, "broken-job4")
		Eventually(flowState(ns, "broken")).Should(Equal(v1alpha1.StateFailed))
		Expect(jobNames(ns)).To(HaveLen(3))
		Expect(flowStatus(ns, "broken")(Default).Message).To(ContainSubstring("job2-error-container failed: BackoffLimitExceeded"))
	})

	It("never runs a finished step again when its Job is deleted", func() {
		create(build.Flow(ns, "latched", step("a"), step("b", "a")))
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("latched-a"))
		complete(ns, "latched-a")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("latched-b"))
		Eventually(flowPhases(ns, "latched")).Should(HaveKeyWithValue("a", "Succeeded"))
		deleteJob(ns, "latched-a")
		Consistently(jobNames).WithArguments(ns).Should(ConsistOf("latched-b"))
		complete(ns, "latched-b")
		Eventually(flowState(ns, "latched")).Should(Equal(v1alpha1.StateSucceed))
		deleteJob(ns, "latched-b")
		Consistently(jobNames).WithArguments(ns).Should(BeEmpty())
	})

	It("fails a step whose Job is deleted before its end", func() {
		create(build.Flow(ns, "deleted", step("a"), step("b", "a")))
		Eventually(flowPhases(ns, "deleted")).Should(HaveKeyWithValue("a", "Running"))
		deleteJob(ns, "deleted-a")
		Eventually(flowPhases(ns, "deleted")).Should(Equal(map[string]string{"a": "Failed/JobDeleted", "b": "Skipped/DependencyFailed"}))
		Expect(flowState(ns, "deleted")(Default)).To(Equal(v1alpha1.StateFailed))
		Consistently(jobNames).WithArguments(ns).Should(BeEmpty())
	})

	It("sets the TTL of a Job only once its result is recorded", func() {
		steps := step("a")
		steps.JobTemplate.TTLSecondsAfterFinished = ptr.To[int32](600)
		create(build.Flow(ns, "ttl", steps))
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("ttl-a"))
		Expect(getJob(ns, "ttl-a").Spec.TTLSecondsAfterFinished).To(BeNil())
		complete(ns, "ttl-a")
		Eventually(func() *int32 { return getJob(ns, "ttl-a").Spec.TTLSecondsAfterFinished }).Should(HaveValue(BeEquivalentTo(600)))
		Expect(flowState(ns, "ttl")(Default)).To(Equal(v1alpha1.StateSucceed))
	})

	It("waits for a missing JobTemplate and says so", func() {
		create(build.Flow(ns, "by-ref", v1alpha1.FlowStep{Name: "a", JobTemplateRef: "later"}))
		Eventually(flowPhases(ns, "by-ref")).Should(Equal(map[string]string{"a": "Waiting/JobTemplateMissing"}))
		status := flowStatus(ns, "by-ref")(Default)
		Expect(status.State).To(Equal(v1alpha1.StatePending))
		Expect(status.Message).To(ContainSubstring(`no JobTemplate "later"`))

		template := &v1alpha1.JobTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "later"}, Spec: v1alpha1.ReusableJobSpec{JobTemplate: *jobSpec()}}
		Expect(k8s.Create(ctx, template)).To(Succeed())
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("by-ref-a"))
		Eventually(func() []string {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(template), template)).To(Succeed())
			return template.Status.DependencyList
		}).Should(ConsistOf("by-ref-a"))
		complete(ns, "by-ref-a")
		Eventually(flowState(ns, "by-ref")).Should(Equal(v1alpha1.StateSucceed))
	})

	It("puts the list of a JobTemplate right, whoever wrote it", func() {
		template := &v1alpha1.JobTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "t"}, Spec: v1alpha1.ReusableJobSpec{JobTemplate: *jobSpec()}}
		Expect(k8s.Create(ctx, template)).To(Succeed())
		create(build.Flow(ns, "uses", v1alpha1.FlowStep{Name: "a", JobTemplateRef: "t"}))
		list := func() []string {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(template), template)).To(Succeed())
			return template.Status.DependencyList
		}
		Eventually(list).Should(ConsistOf("uses-a"))
		template.Status.DependencyList = []string{"gone-a"} // as our own write does that the cache did not show yet
		Expect(k8s.Status().Update(ctx, template)).To(Succeed())
		Eventually(list).Should(ConsistOf("uses-a"))
	})

	It("learns the end of a Job that somebody took its owner from", func() {
		create(build.Flow(ns, "cut-off", step("a")))
		Eventually(flowPhases(ns, "cut-off")).Should(Equal(map[string]string{"a": "Running"}))
		job := getJob(ns, "cut-off-a")
		change(job, func(j *batchv1.Job) { j.OwnerReferences = nil })
		complete(ns, "cut-off-a")
		Eventually(flowState(ns, "cut-off")).Should(Equal(v1alpha1.StateSucceed))
	})

	It("leaves a Job of the same name alone that is not its own", func() {
		foreign := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "taken-a"}, Spec: *jobSpec()}
		foreign.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		create(build.Flow(ns, "taken", step("a")))
		Eventually(flowPhases(ns, "taken")).Should(Equal(map[string]string{"a": "Waiting/NameConflict"}))
		status := flowStatus(ns, "taken")(Default)
		Expect(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)).To(BeTrue())
		complete(ns, "taken-a")
		Consistently(flowPhases(ns, "taken")).Should(Equal(map[string]string{"a": "Waiting/NameConflict"}))
		after := getJob(ns, "taken-a")
		Expect(after.UID).To(Equal(foreign.UID))
		Expect(after.Labels).NotTo(HaveKey(v1alpha1.KindLabel))
		Expect(after.OwnerReferences).To(BeEmpty())

		deleteJob(ns, "taken-a")
		Eventually(flowPhases(ns, "taken")).Should(Equal(map[string]string{"a": "Running"}))
		Expect(meta.IsStatusConditionTrue(flowStatus(ns, "taken")(Default).Conditions, v1alpha1.ConditionStalled)).To(BeFalse())
	})

	It("waits for the Jobs of an earlier flow of the same name to go", func() {
		first := create(build.Flow(ns, "again", step("a")))
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("again-a"))
		job := getJob(ns, "again-a")
		change(job, func(j *batchv1.Job) { j.Finalizers = []string{"example.com/hold"} })
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(first), &v1alpha1.JobFlow{}) }).ShouldNot(Succeed())
		create(build.Flow(ns, "again", step("a")))
		Eventually(flowPhases(ns, "again")).Should(Equal(map[string]string{"a": "Waiting/NameConflict"}))
		deleteJob(ns, "again-a") // as the garbage collector does, where there is one
		change(job, func(j *batchv1.Job) { j.Finalizers = nil })
		Eventually(flowPhases(ns, "again")).Should(Equal(map[string]string{"a": "Running"}))
	})

	It("reports a spec that admission would have refused and creates nothing", func() {
		create(build.Flow(ns, "cycle", step("a", "b"), step("b", "a"), step("c"), step("d", "cc")))
		Eventually(flowState(ns, "cycle")).Should(Equal(v1alpha1.StateFailed))
		status := flowStatus(ns, "cycle")(Default)
		failed := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionFailed)
		Expect(failed.Reason).To(Equal(v1alpha1.ReasonInvalidSpec))
		Expect(status.Message).To(And(ContainSubstring("spec.flows"), ContainSubstring(`"cc"`)))
		many := make([]v1alpha1.FlowStep, 40)
		for i := range many {
			many[i] = step(fmt.Sprintf("s%d", i), "not-there")
		}
		create(build.Flow(ns, "wrong-throughout", many...))
		Eventually(eventReasons).WithArguments(ns, "wrong-throughout").Should(ConsistOf("Failed"))
		Consistently(jobNames).WithArguments(ns).Should(BeEmpty())
	})

	It("fails a step whose Job the API server refuses", func() {
		bad := step("a")
		bad.JobTemplate.Template.Spec.Containers[0].TerminationMessagePolicy = "Never"
		create(build.Flow(ns, "refused", bad, step("b", "a")))
		Eventually(flowState(ns, "refused")).Should(Equal(v1alpha1.StateFailed))
		Expect(flowPhases(ns, "refused")(Default)).To(Equal(map[string]string{"a": "Failed/JobRejected", "b": "Skipped/DependencyFailed"}))
		Expect(flowStatus(ns, "refused")(Default).Message).To(ContainSubstring("terminationMessagePolicy"))
	})

	It("waits while a quota forbids Jobs, and says so", func() {
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "none"}}
		quota.Spec.Hard = corev1.ResourceList{"count/jobs.batch": *newQuantity(0)}
		Expect(k8s.Create(ctx, quota)).To(Succeed())
		Eventually(func() error {
			if err := k8s.Get(ctx, client.ObjectKeyFromObject(quota), quota); err != nil {
				return err
			}
			quota.Status.Hard = quota.Spec.Hard
			quota.Status.Used = corev1.ResourceList{"count/jobs.batch": *newQuantity(0)}
			return k8s.Status().Update(ctx, quota)
		}).Should(Succeed())

		create(build.Flow(ns, "poor", step("a"), step("b"), step("c")))
		Eventually(flowPhases(ns, "poor")).Should(Equal(map[string]string{
			"a": "Waiting/CreateFailed", "b": "Waiting/CreateFailed", "c": "Waiting/CreateFailed",
		}), "each says why it waits, also those that were not tried")
		Expect(flowStatus(ns, "poor")(Default).Message).To(ContainSubstring("quota"))
		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(3))
	})

	It("acknowledges a change of the spec after the end", func() {
		flow := build.Flow(ns, "over", step("a"))
		create(flow)
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("over-a"))
		complete(ns, "over-a")
		Eventually(flowState(ns, "over")).Should(Equal(v1alpha1.StateSucceed))
		change(flow, func(f *v1alpha1.JobFlow) { f.Spec.TTLSecondsAfterFinished = ptr.To[int32](86400) })
		Eventually(flowStatus(ns, "over")).Should(HaveField("ObservedGeneration", BeEquivalentTo(2)))
		Expect(flowPhases(ns, "over")(Default)).To(Equal(map[string]string{"a": "Succeeded"}), "nothing else is lost")
	})

	It("honours parallelism, and a change of it", func() {
		flow := build.Flow(ns, "narrow", step("a"), step("b"), step("c"), step("d"))
		flow.Spec.Parallelism = ptr.To[int32](1)
		create(flow)
		Eventually(flowPhases(ns, "narrow")).Should(Equal(map[string]string{
			"a": "Running", "b": "Waiting/Parallelism", "c": "Waiting/Parallelism", "d": "Waiting/Parallelism",
		}))
		Consistently(jobNames).WithArguments(ns).Should(HaveLen(1))
		change(flow, func(f *v1alpha1.JobFlow) { f.Spec.Parallelism = ptr.To[int32](3) })
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("narrow-a", "narrow-b", "narrow-c"))
	})

	It("runs the others where parallelism is 1 and the names of two Jobs are taken", func() {
		for _, name := range []string{"crowded-a", "crowded-b"} {
			foreign := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: *jobSpec()}
			foreign.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
			Expect(k8s.Create(ctx, foreign)).To(Succeed())
		}
		flow := build.Flow(ns, "crowded", step("a"), step("b"), step("c"), step("d", "c"))
		flow.Spec.Parallelism = ptr.To[int32](1)
		create(flow)
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("crowded-c"))
		complete(ns, "crowded-c")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("crowded-d"))
		complete(ns, "crowded-d")
		Eventually(flowPhases(ns, "crowded")).Should(Equal(map[string]string{
			"a": "Waiting/NameConflict", "b": "Waiting/NameConflict", "c": "Succeeded", "d": "Succeeded",
		}))
		Consistently(flowPhases(ns, "crowded")).Should(And(HaveKeyWithValue("a", "Waiting/NameConflict"), HaveKeyWithValue("b", "Waiting/NameConflict")))
	})

	It("suspends and resumes its Jobs, and only those that it suspended", func() {
		queued := step("b")
		queued.JobTemplate.Suspend = ptr.To(true)
		flow := create(build.Flow(ns, "held", step("a"), queued, step("c", "a")))
		Eventually(flowPhases(ns, "held")).Should(Equal(map[string]string{"a": "Running", "b": "Waiting/Queued", "c": "Waiting/Dependency"}))

		change(flow, func(f *v1alpha1.JobFlow) { f.Spec.Suspend = ptr.To(true) })
		Eventually(flowState(ns, "held")).Should(Equal(v1alpha1.StateSuspended))
		Eventually(func() *bool { return getJob(ns, "held-a").Spec.Suspend }).Should(HaveValue(BeTrue()))
		complete(ns, "held-a") // it was about to end anyway
		Eventually(flowPhases(ns, "held")).Should(HaveKeyWithValue("c", "Waiting/Suspended"))
		Consistently(jobNames).WithArguments(ns).Should(HaveLen(2))

		change(flow, func(f *v1alpha1.JobFlow) { f.Spec.Suspend = nil })
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("held-c"))
		Expect(getJob(ns, "held-b").Spec.Suspend).To(HaveValue(BeTrue()), "a queue's business, not ours")
		Eventually(flowState(ns, "held")).Should(Equal(v1alpha1.StateRunning))
		Eventually(eventReasons).WithArguments(ns, "held").Should(ContainElements("Suspended", "Resumed"))
	})

	It("ends what runs when the deadline passes", func() {
		flow := build.Flow(ns, "late", step("a"), step("b", "a"))
		flow.Spec.ActiveDeadlineSeconds = ptr.To[int64](1)
		create(flow)
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(1))
		Eventually(func() *int64 { return getJob(ns, "late-a").Spec.ActiveDeadlineSeconds }).Should(HaveValue(BeEquivalentTo(1)))
		Eventually(flowPhases(ns, "late")).Should(HaveKeyWithValue("b", "Skipped/DeadlineExceeded"))
		Expect(finish(ns, "late-a", batchv1.JobFailed, "DeadlineExceeded", "Job was active longer than specified deadline")).To(Succeed())
		Eventually(flowState(ns, "late")).Should(Equal(v1alpha1.StateFailed))
		failed := meta.FindStatusCondition(flowStatus(ns, "late")(Default).Conditions, v1alpha1.ConditionFailed)
		Expect(failed.Reason).To(Equal(v1alpha1.ReasonDeadlineExceeded))
	})

	It("deletes itself when its TTL has passed, also one that is set later", func() {
		flow := create(build.Flow(ns, "gone", step("a")))
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(1))
		complete(ns, "gone-a")
		Eventually(flowState(ns, "gone")).Should(Equal(v1alpha1.StateSucceed))
		change(flow, func(f *v1alpha1.JobFlow) { f.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) })
		Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(flow), flow) }).ShouldNot(Succeed())
	})

	It("says why a pod does not run", func() {
		create(build.Flow(ns, "stuck", step("a")))
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(1))
		pod := startPod(ns, "stuck-a")
		pod.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available",
		}}
		Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
		Eventually(flowPhases(ns, "stuck")).Should(Equal(map[string]string{"a": "Waiting/Unschedulable"}))
		Expect(flowStatus(ns, "stuck")(Default).Message).To(ContainSubstring("0/3 nodes are available"))

		pod.Status.Conditions[0].Status = corev1.ConditionTrue
		pod.Status.Conditions[0].Reason = ""
		Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
		Eventually(flowPhases(ns, "stuck")).Should(Equal(map[string]string{"a": "Running"}))
	})

	It("starts a step once the pods of its dependency have Succeeded, where it is told to", func() {
		if existingCluster {
			Skip("in an existing cluster, managedBy keeps the Job controller away, and the operator trusts the pods of no other controller")
		}
		create(build.Flow(ns, "patient", step("a"), step("b", "a")))
		early := build.Flow(ns, "early", step("a"), step("b", "a"), step("c", "b"))
		early.Spec.StartOn = v1alpha1.StartOnPodsSucceeded
		create(early)
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("patient-a", "early-a"))

		succeed := func(job string) {
			GinkgoHelper()
			pod := startPod(ns, job)
			pod.Status.Phase = corev1.PodSucceeded
			Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
		}
		succeed("patient-a")
		succeed("early-a")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("early-b"))
		Expect(flowPhases(ns, "early")(Default)).To(HaveKeyWithValue("a", "Running"))
		succeed("early-b")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("early-c"))
		Consistently(jobNames).WithArguments(ns).ShouldNot(ContainElement("patient-b"))

		By("waiting with the flow's end for the conditions of all Jobs")
		complete(ns, "early-c")
		Eventually(flowPhases(ns, "early")).Should(Equal(map[string]string{"a": "Running", "b": "Running", "c": "Succeeded"}))
		Expect(flowState(ns, "early")(Default)).To(Equal(v1alpha1.StateRunning))
		complete(ns, "early-a")
		complete(ns, "early-b")
		Eventually(flowState(ns, "early")).Should(Equal(v1alpha1.StateSucceed))
		complete(ns, "patient-a")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("patient-b"))
	})

	It("says that it is being deleted", func() {
		flow := build.Flow(ns, "leaving", step("a"))
		flow.Finalizers = []string{"example.com/hold"}
		create(flow)
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(1))
		Expect(k8s.Delete(ctx, flow)).To(Succeed())
		Eventually(flowState(ns, "leaving")).Should(Equal(v1alpha1.StateTerminating))
		change(flow, func(f *v1alpha1.JobFlow) { f.Finalizers = nil })
	})

	It("fans out to 200 steps and joins them", func() {
		steps := []v1alpha1.FlowStep{step("join")}
		for i := range 200 {
			name := fmt.Sprintf("s%d", i)
			steps = append(steps, step(name))
			steps[0].Dependencies = append(steps[0].Dependencies, name)
		}
		create(build.Flow(ns, "wide", steps...))
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(200))
		for i := range 200 {
			complete(ns, fmt.Sprintf("wide-s%d", i))
		}
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("wide-join"))
	})

	It("neither writes nor reads anything for an object that does not change", func() {
		flow := create(build.Flow(ns, "quiet", step("a"), step("b", "a")))
		Eventually(flowPhases(ns, "quiet")).Should(HaveKeyWithValue("a", "Running"))
		complete(ns, "quiet-a")
		Eventually(flowPhases(ns, "quiet")).Should(HaveKeyWithValue("b", "Running"))
		Eventually(eventReasons).WithArguments(ns, "quiet").Should(HaveLen(2))
		settled := flowStatus(ns, "quiet")(Default)
		about := func() []string {
			var list []string
			for _, request := range op.requests.take() {
				if !strings.Contains(request, "/namespaces/") || strings.Contains(request, "/namespaces/"+ns) {
					list = append(list, request)
				}
			}
			return list
		}
		Eventually(about).Should(BeEmpty())

		change(flow, func(f *v1alpha1.JobFlow) { f.Annotations = map[string]string{"touched": "yes"} })
		Consistently(about).Should(BeEmpty())
		Expect(flowStatus(ns, "quiet")(Default)).To(Equal(settled))
	})
})
