package apitest_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func newQuantity(n int64) *resource.Quantity { return resource.NewQuantity(n, resource.DecimalSI) }

var _ = Describe("DaemonJob", func() {
	var ns, n1, n2, n3, n4 string
	BeforeEach(func() {
		ns = newNamespace()
		// Specs run in parallel, and nodes have no namespace.
		n1, n2, n3, n4 = ns+"-n1", ns+"-n2", ns+"-n3", ns+"-n4"
		DeferCleanup(startOperator(ns).stop)
	})

	addNode := func(name string, taints ...corev1.Taint) *corev1.Node {
		GinkgoHelper()
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{nodeOfLabel: ns}}}
		Expect(k8s.Create(ctx, node)).To(Succeed())
		DeferCleanup(func() { Expect(client.IgnoreNotFound(k8s.Delete(ctx, node))).To(Succeed()) })
		// The API server taints a node that joins as not ready.
		change(node, func(n *corev1.Node) { n.Spec.Taints = taints })
		return node
	}
	create := func(name, exclude string) *v1alpha1.DaemonJob {
		GinkgoHelper()
		dj := &v1alpha1.DaemonJob{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
			Spec:       v1alpha1.DaemonJobSpec{ExcludeNodeList: exclude, JobSpec: *jobSpec()},
		}
		Expect(k8s.Create(ctx, dj)).To(Succeed())
		return dj
	}

	It("runs once on every node but those excluded", func() {
		addNode(n1)
		addNode(n2)
		addNode(n3)
		create("dj", " "+n2+" ,"+n3+",")
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("dj-" + n1))
		complete(ns, "dj-"+n1)
		Eventually(daemonState(ns, "dj")).Should(Equal(v1alpha1.StateSucceed))
		addNode(n4)
		Consistently(jobNames).WithArguments(ns).Should(ConsistOf("dj-"+n1), "it has ended before the node joined")
	})

	It("keeps a Job that somebody took the annotations from", func() {
		addNode(n1)
		create("dj", "")
		Eventually(nodePhases(ns, "dj")).Should(Equal(map[string]string{n1: "Running"}))
		change(getJob(ns, "dj-"+n1), func(j *batchv1.Job) { j.Annotations = nil })
		Consistently(jobNames).WithArguments(ns).Should(ConsistOf("dj-" + n1))
		Expect(nodePhases(ns, "dj")(Default)).To(Equal(map[string]string{n1: "Running"}))
		complete(ns, "dj-"+n1)
		Eventually(daemonState(ns, "dj")).Should(Equal(v1alpha1.StateSucceed))
		Expect(nodePhases(ns, "dj")(Default)).To(Equal(map[string]string{n1: "Succeeded"}))
	})

	It("includes a node that joins while it runs", func() {
		addNode(n1)
		create("dj", "")
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("dj-" + n1))
		addNode(n2)
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("dj-"+n1, "dj-"+n2))
		complete(ns, "dj-"+n1)
		complete(ns, "dj-"+n2)
		Eventually(daemonState(ns, "dj")).Should(Equal(v1alpha1.StateSucceed))
	})

	It("is not held up by a node that is gone, and runs again on one that comes back", func() {
		addNode(n1)
		second := addNode(n2)
		create("dj", "")
		Eventually(nodePhases(ns, "dj")).Should(Equal(map[string]string{n1: "Running", n2: "Running"}))
		Expect(k8s.Delete(ctx, second)).To(Succeed())
		Eventually(nodePhases(ns, "dj")).Should(HaveKeyWithValue(n2, "Skipped/NodeGone"))
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("dj-" + n1))

		addNode(n2)
		Eventually(nodePhases(ns, "dj")).Should(HaveKeyWithValue(n2, "Running"))
		for _, run := range daemonStatus(ns, "dj")(Default).Nodes {
			if run.Name == n2 {
				Expect(run.Attempt).To(BeEquivalentTo(2))
			}
		}
		complete(ns, "dj-"+n1)
		complete(ns, "dj-"+n2)
		Eventually(daemonState(ns, "dj")).Should(Equal(v1alpha1.StateSucceed))
	})

	It("names the node that it left out for a taint, and takes it once the taint is gone", func() {
		addNode(n1)
		tainted := addNode(n2, corev1.Taint{Key: "dedicated", Value: "db", Effect: corev1.TaintEffectNoSchedule})
		create("dj", "")
		Eventually(nodePhases(ns, "dj")).Should(Equal(map[string]string{n1: "Running", n2: "Skipped/UntoleratedTaint"}))
		change(tainted, func(n *corev1.Node) { n.Spec.Taints = nil })
		Eventually(nodePhases(ns, "dj")).Should(Equal(map[string]string{n1: "Running", n2: "Running"}))
	})

	It("is Pending without a node, and says so", func() {
		create("dj", "")
		Eventually(daemonState(ns, "dj")).Should(Equal(v1alpha1.StatePending))
		status := daemonStatus(ns, "dj")(Default)
		Expect(status.Message).To(ContainSubstring("no node to run on"))
		Expect(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonNoEligibleNode))
		addNode(n1)
		Eventually(jobNames).WithArguments(ns).Should(ConsistOf("dj-" + n1))
	})

	It("fails when a node fails, after all others have run", func() {
		addNode(n1)
		addNode(n2)
		create("dj", "")
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(2))
		fail(ns, "dj-"+n1)
		Eventually(nodePhases(ns, "dj")).Should(HaveKeyWithValue(n1, "Failed/BackoffLimitExceeded"))
		Expect(daemonState(ns, "dj")(Default)).To(Equal(v1alpha1.StateRunning))
		complete(ns, "dj-"+n2)
		Eventually(daemonState(ns, "dj")).Should(Equal(v1alpha1.StateFailed))
		Expect(daemonStatus(ns, "dj")(Default).Message).To(ContainSubstring("node " + n1 + " failed"))
		Expect(jobNames(ns)).To(HaveLen(2))
	})

	It("carries over what may change, and suspends", func() {
		addNode(n1)
		dj := create("dj", "")
		Eventually(jobNames).WithArguments(ns).Should(HaveLen(1))
		change(dj, func(d *v1alpha1.DaemonJob) {
			d.Spec.ActiveDeadlineSeconds = ptr.To[int64](600)
			d.Spec.TTLSecondsAfterFinished = ptr.To[int32](500)
		})
		Eventually(func() *int64 { return getJob(ns, "dj-"+n1).Spec.ActiveDeadlineSeconds }).Should(HaveValue(BeEquivalentTo(600)))
		change(dj, func(d *v1alpha1.DaemonJob) { d.Spec.Suspend = ptr.To(true) })
		Eventually(daemonState(ns, "dj")).Should(Equal(v1alpha1.StateSuspended))
		Eventually(func() *bool { return getJob(ns, "dj-"+n1).Spec.Suspend }).Should(HaveValue(BeTrue()))
		change(dj, func(d *v1alpha1.DaemonJob) { d.Spec.Suspend = ptr.To(false) })
		Eventually(func() *bool { return getJob(ns, "dj-"+n1).Spec.Suspend }).Should(HaveValue(BeFalse()))
		complete(ns, "dj-"+n1)
		Eventually(func() *int32 { return getJob(ns, "dj-"+n1).Spec.TTLSecondsAfterFinished }).Should(HaveValue(BeEquivalentTo(500)))
		deleteJob(ns, "dj-"+n1)
		Consistently(jobNames).WithArguments(ns).Should(BeEmpty())
		Expect(daemonState(ns, "dj")(Default)).To(Equal(v1alpha1.StateSucceed))
	})
})
