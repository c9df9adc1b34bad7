package e2e

import (
	"context"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

// published is what came of the two published samples. They sleep for more than
// three minutes, so they run while the other specs do: one of those kills the
// operator in the meantime.
var published struct {
	namespace string
	seen      *record.Record
	jobFlow   cli.Output
	daemonJob cli.Output
	end       func(context.Context) // deletes it all, once it has been applied
}

// publishedSleep is how long the JobFlow sleeps, the longer of the two.
const publishedSleep = 210 * time.Second

// applyPublished applies both, once.
func applyPublished(ctx context.Context) {
	GinkgoHelper()
	if published.namespace != "" {
		return
	}
	needNodes(ctx, minikube, node1, node2)
	namespace := k8s.CreateNamespace(ctx, "e2e-published-")
	published.namespace = namespace
	watching, cancel := context.WithCancel(context.Background())
	published.end = func(ctx context.Context) {
		cancel()
		k8s.DeleteNamespace(ctx, namespace)
	}
	published.seen = record.StartWith(watching, k8s, namespace)
	published.jobFlow = applySample(ctx, namespace, "jobflow.yaml")
	published.daemonJob = applySample(ctx, namespace, "daemonjob.yaml")
}

var _ = Describe("The published samples, applied unchanged with kubectl", SpecPriority(1), func() {
	BeforeEach(func(ctx SpecContext) { applyPublished(ctx) })

	It("are taken without a warning, but for the restartPolicy of the DaemonJob", func() {
		Expect(published.jobFlow.Stderr).To(BeEmpty())
		Expect(published.daemonJob.Stderr).To(Equal(
			`Warning: spec.template.spec.restartPolicy: "OnFailure" has no effect: the operator always sets restartPolicy Never` + "\n"))
	})

	It("are shown by kubectl get with NAME and STATUS first and AGE", func(ctx SpecContext) {
		for resource, name := range map[string]string{
			"jobflows.api.practice.com":   "jobflow-example",
			"daemonjobs.api.practice.com": "daemonjob-example",
		} {
			Eventually(ctx, func(ctx context.Context) string {
				return cli.Kubectl(ctx, "get", resource, "--namespace", published.namespace).Succeeded().Stdout
			}).Should(And(
				MatchRegexp(`^NAME +STATUS .*\bAGE\b`),
				MatchRegexp(`(?m)^`+regexp.QuoteMeta(name)+` +Running `),
			))
		}
	})
})

var _ = Describe("The published samples, some minutes later", SpecPriority(-1), func() {
	BeforeEach(func(ctx SpecContext) { applyPublished(ctx) })
	AfterEach(func(ctx SpecContext) {
		if CurrentSpecReport().Failed() {
			k8s.Show(ctx, published.namespace)
		}
	})

	It("have run the JobFlow on minikube, each step once and after those that it depends on", func(ctx SpecContext) {
		flow := getFlow(ctx, published.namespace, "jobflow-example")
		expectEndWithin(ctx, publishedSleep+testkit.Hang, flow, v1alpha1.StateSucceed)
		cli.Kubectl(ctx, "get", "jobflows.api.practice.com,jobs,pods", "--namespace", published.namespace)

		Expect(phases(flow.Status.Flows)).To(Equal(map[string]string{
			"job1": "Succeeded", "job2": "Succeeded", "job3": "Succeeded", "job4": "Succeeded", "job5": "Succeeded",
		}))
		expectOrder(flow, published.seen)
		for _, job := range []string{
			"jobflow-example-job1", "jobflow-example-job2", "jobflow-example-job3", "jobflow-example-job4", "jobflow-example-job5",
		} {
			Expect(published.seen.PodOf(job).Spec.NodeName).To(Equal(minikube), job)
		}
	})

	It("have run the DaemonJob on minikube, the node that is not excluded", func(ctx SpecContext) {
		dj := build.DaemonJob(published.namespace, "daemonjob-example")
		expectEndWithin(ctx, publishedSleep+testkit.Hang, dj, v1alpha1.StateSucceed)

		Expect(phases(dj.Status.Nodes)).To(And(HaveKeyWithValue(minikube, "Succeeded"), Not(HaveKey(node1)), Not(HaveKey(node2))))
		jobs := record.OnceEach("jobflow-example-job1", "jobflow-example-job2", "jobflow-example-job3", "jobflow-example-job4", "jobflow-example-job5")
		for i := range dj.Status.Nodes {
			jobs[dj.Status.Nodes[i].JobName] = 1
		}
		Expect(published.seen.Created()).To(Equal(jobs))
		pod := published.seen.PodOf("daemonjob-example-minikube")
		Expect(pod.Spec.NodeName).To(Equal(minikube))
		Expect(pod.Spec.RestartPolicy).To(Equal(corev1.RestartPolicyNever))
	})
})
