package e2e

import (
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var _ = Describe("Of the other samples", func() {
	It("none is without a spec here", func() {
		files, err := filepath.Glob(sample("*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(files).To(ConsistOf(
			sample("kustomization.yaml"),
			sample("jobflow.yaml"), sample("daemonjob.yaml"), // the published ones
			sample("jobflow-same-node.yaml"), sample("jobflow-shared-volume.yaml"),
			sample("jobflow-jobtemplate.yaml"), sample("jobflow-error.yaml"),
		))
	})

	It("jobflow-same-node runs both steps on minikube, and kubectl wait sees the end", func(ctx SpecContext) {
		needNodes(ctx, minikube)
		namespace, seen := newNamespace(ctx)
		applySample(ctx, namespace, "jobflow-same-node.yaml")
		cli.Kubectl(ctx, "wait", "--for=condition=Complete", "--timeout="+testkit.Hang.String(), "--namespace", namespace, "jobflow/jobflow-same-node").Succeeded()

		flow := getFlow(ctx, namespace, "jobflow-same-node")
		Expect(flow.Status.State).To(Equal(v1alpha1.StateSucceed))
		expectOrder(flow, seen)
		for step, job := range map[string]string{"first": "jobflow-same-node-first", "second": "jobflow-same-node-second"} {
			pod := seen.PodOf(job)
			Expect(pod.Spec.NodeName).To(Equal(minikube))
			Expect(k8s.Logs(ctx, pod, "main")).To(Equal(step + " ran on minikube\n"))
		}
	})

	It("jobflow-shared-volume reads in one step what another wrote", func(ctx SpecContext) {
		needNodes(ctx, minikube)
		volume := &corev1.PersistentVolume{}
		Expect(client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKey{Name: "jobflow-shared-volume"}, volume))).To(Succeed())
		if volume.UID != "" {
			Fail("The PersistentVolume jobflow-shared-volume exists already, and a volume is bound to one claim only. " +
				"This spec needs it for its own: kubectl delete --filename config/samples/jobflow-shared-volume.yaml")
		}
		namespace, seen := newNamespace(ctx)
		DeferCleanup(func(ctx SpecContext) {
			cli.Kubectl(ctx, "delete", "--ignore-not-found", "--namespace", namespace, "--filename", sample("jobflow-shared-volume.yaml")).Succeeded()
		})
		applySample(ctx, namespace, "jobflow-shared-volume.yaml")

		flow := getFlow(ctx, namespace, "jobflow-shared-volume")
		expectEnd(ctx, flow, v1alpha1.StateSucceed)
		expectOrder(flow, seen)
		Expect(k8s.Logs(ctx, seen.PodOf("jobflow-shared-volume-read"), "main")).To(Equal("written by the first step\n"))
		Expect(seen.Created()).To(Equal(record.OnceEach("jobflow-shared-volume-write", "jobflow-shared-volume-read", "jobflow-shared-volume-clean")))
	})

	It("jobflow-jobtemplate runs JobTemplates, which know who uses them", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		applySample(ctx, namespace, "jobflow-jobtemplate.yaml")

		flow := getFlow(ctx, namespace, "jobflow-jobtemplate")
		expectEnd(ctx, flow, v1alpha1.StateSucceed)
		expectOrder(flow, seen)
		Expect(k8s.Logs(ctx, seen.PodOf("jobflow-jobtemplate-hello"), "main")).To(Equal("hello\n"))
		Expect(k8s.Logs(ctx, seen.PodOf("jobflow-jobtemplate-goodbye"), "main")).To(Equal("hello\n"))
		Expect(k8s.Logs(ctx, seen.PodOf("jobflow-jobtemplate-own"), "main")).To(Equal("a template of my own\n"))
		var indexes []string
		for _, pod := range seen.PodsOf("jobflow-jobtemplate-work") {
			indexes = append(indexes, k8s.Logs(ctx, pod, "main"))
		}
		Expect(indexes).To(ConsistOf("index 0\n", "index 1\n", "index 2\n"))

		for name, users := range map[string][]string{
			"greet":      {"jobflow-jobtemplate-goodbye", "jobflow-jobtemplate-hello"},
			"three-pods": {"jobflow-jobtemplate-work"},
		} {
			template := &v1alpha1.JobTemplate{}
			Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, template)).To(Succeed())
			Expect(template.Status.DependencyList).To(Equal(users), name)
		}
	})

	It("jobflow-error fails: nothing runs after the failed step, and status says why", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		applySample(ctx, namespace, "jobflow-error.yaml")
		cli.Kubectl(ctx, "wait", "--for=condition=Failed", "--timeout="+testkit.Hang.String(), "--namespace", namespace, "jobflow/jobflow-example-error").Succeeded()
		cli.Kubectl(ctx, "get", "jobflows.api.practice.com,jobs", "--namespace", namespace, "--output", "wide")

		flow := getFlow(ctx, namespace, "jobflow-example-error")
		Expect(flow.Status.State).To(Equal(v1alpha1.StateFailed))
		Expect(reasonOf(flow, v1alpha1.ConditionFailed)).To(Equal(v1alpha1.ReasonStepFailed))
		Expect(flow.Status.Message).To(ContainSubstring("step job2-error-container failed: BackoffLimitExceeded"))
		Expect(flow.Status.Message).To(ContainSubstring("2 of 5 steps did not run"))
		Expect(phases(flow.Status.Flows)).To(Equal(map[string]string{
			"job1":                 "Succeeded",
			"job2-error-container": "Failed BackoffLimitExceeded",
			"job3":                 "Skipped DependencyFailed",
			"job4":                 "Succeeded",
			"job5":                 "Skipped DependencyFailed",
		}))
		ran := record.OnceEach("jobflow-example-error-job1", "jobflow-example-error-job2-error-container", "jobflow-example-error-job4")
		Expect(seen.Created()).To(Equal(ran))
		Consistently(seen.Created).Should(Equal(ran))
		Expect(k8s.Logs(ctx, seen.PodOf("jobflow-example-error-job2-error-container"), "nginx")).To(Equal("this step fails\n"))
	})
})
