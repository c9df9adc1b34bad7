package e2e

import (
	"context"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// published is what came of the two published samples. They sleep for more than
// three minutes, so they run while the other specs do: one of those kills the
// operator in the meantime.
var published struct {
	namespace string
	seen      *record
	jobFlow   output
	daemonJob output
	end       func(context.Context) // deletes it all, once it has been applied
}

// applyPublished applies both, once.
func applyPublished(ctx context.Context) {
	GinkgoHelper()
	if published.namespace != "" {
		return
	}
	needNodes(ctx, minikube, node1, node2)
	namespace := makeNamespace(ctx, "e2e-published-")
	published.namespace = namespace.Name
	watching, cancel := context.WithCancel(context.Background())
	published.end = func(ctx context.Context) {
		cancel()
		deleteNamespace(ctx, namespace)
	}
	published.seen = recordFrom(watching, namespace.Name)
	published.jobFlow = applySample(ctx, namespace.Name, "jobflow.yaml")
	published.daemonJob = applySample(ctx, namespace.Name, "daemonjob.yaml")
}

var _ = Describe("The published samples, applied unchanged with kubectl", SpecPriority(1), func() {
	BeforeEach(func(ctx SpecContext) { applyPublished(ctx) })

	It("are taken without a warning, but for the restartPolicy of the DaemonJob", func() {
		Expect(published.jobFlow.stderr).To(BeEmpty())
		Expect(published.daemonJob.stderr).To(Equal(
			`Warning: spec.template.spec.restartPolicy: "OnFailure" has no effect: pods of a Job here always have restartPolicy Never` + "\n"))
	})

	It("are shown by kubectl get with NAME and STATUS first and AGE", func(ctx SpecContext) {
		for resource, name := range map[string]string{
			"jobflows.api.practice.com":   "jobflow-example",
			"daemonjobs.api.practice.com": "daemonjob-example",
		} {
			Eventually(ctx, func(ctx context.Context) string {
				return kubectl(ctx, "get", resource, "--namespace", published.namespace).succeeded().stdout
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
			show(ctx, published.namespace)
		}
	})

	It("have run the JobFlow on minikube, each step once and after those that it depends on", func(ctx SpecContext) {
		flow := getFlow(ctx, published.namespace, "jobflow-example")
		expectEnd(ctx, flow, 6*time.Minute, v1alpha1.StateSucceed)
		kubectl(ctx, "get", "jobflows.api.practice.com,jobs,pods", "--namespace", published.namespace)

		Expect(phases(flow.Status.Flows)).To(Equal(map[string]string{
			"job1": "Succeeded", "job2": "Succeeded", "job3": "Succeeded", "job4": "Succeeded", "job5": "Succeeded",
		}))
		expectOrder(flow, published.seen)
		for _, job := range []string{
			"jobflow-example-job1", "jobflow-example-job2", "jobflow-example-job3", "jobflow-example-job4", "jobflow-example-job5",
		} {
			Expect(published.seen.podOf(job).Spec.NodeName).To(Equal(minikube), job)
		}
	})

	It("have run the DaemonJob on minikube, the node that is not excluded", func(ctx SpecContext) {
		dj := getDaemonJob(ctx, published.namespace, "daemonjob-example")
		expectEnd(ctx, dj, 4*time.Minute, v1alpha1.StateSucceed)

		Expect(phases(dj.Status.Nodes)).To(And(HaveKeyWithValue(minikube, "Succeeded"), Not(HaveKey(node1)), Not(HaveKey(node2))))
		jobs := onceEach("jobflow-example-job1", "jobflow-example-job2", "jobflow-example-job3", "jobflow-example-job4", "jobflow-example-job5")
		for i := range dj.Status.Nodes {
			jobs[dj.Status.Nodes[i].JobName] = 1
		}
		Expect(published.seen.created()).To(Equal(jobs))
		pod := published.seen.podOf("daemonjob-example-minikube")
		Expect(pod.Spec.NodeName).To(Equal(minikube))
		Expect(pod.Spec.RestartPolicy).To(Equal(corev1.RestartPolicyNever))
	})
})
