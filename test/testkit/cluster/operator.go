package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// operatorLabels are on the operator's pods, whatever installed them.
var operatorLabels = client.MatchingLabels{"app.kubernetes.io/name": "jobflow-operator", "control-plane": "controller-manager"}

// LeaseName is the name of the Lease that the operator's replicas use for leader election.
// The Lease is in the namespace of the Deployment.
const LeaseName = "jobflow-operator.api.practice.com"

// Ready matches the conditions of a pod that is ready.
var Ready = ContainElement(And(HaveField("Type", corev1.PodReady), HaveField("Status", corev1.ConditionTrue)))

// Operator returns the operator's Deployment. It finds it by its labels, since the operator
// may be installed in any namespace.
func (c *Cluster) Operator(ctx context.Context) *appsv1.Deployment {
	GinkgoHelper()
	var found appsv1.DeploymentList
	Expect(c.List(ctx, &found, client.MatchingLabels{"app.kubernetes.io/name": "jobflow-operator"})).To(Succeed())
	Expect(found.Items).To(HaveLen(1), "Deployments of the operator; the make target of these tests installs it")
	return &found.Items[0]
}

// OperatorPods returns the operator's pods that are not being deleted.
func (c *Cluster) OperatorPods(ctx context.Context) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := c.List(ctx, &pods, operatorLabels)
	return slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil }), err
}

// AskAdmission creates a JobFlow in a dry run, which stores nothing, and returns the error.
func (c *Cluster) AskAdmission(ctx context.Context, namespace string) error {
	flow := flows.New(namespace, "", flows.Step("a", "true"))
	flow.GenerateName = "asked-"
	return c.Create(ctx, flow, client.DryRunAll)
}

// AwaitAdmission waits until the API server accepts a JobFlow, which means that it reaches the
// webhooks and trusts their certificate.
func (c *Cluster) AwaitAdmission(ctx context.Context, namespace string) {
	GinkgoHelper()
	Eventually(ctx, c.AskAdmission).WithArguments(namespace).Should(Succeed())
}

// Cycle returns a JobFlow with a cycle, which the schema accepts and the webhook refuses.
func Cycle(namespace string) *v1alpha1.JobFlow {
	return flows.New(namespace, "cycle", flows.Step("a", "true", "b"), flows.Step("b", "true", "a"))
}

// NameTheCycle matches the webhook's refusal of Cycle.
var NameTheCycle = MatchError(ContainSubstring("a -> b -> a"))

// ExpectCycleRefused expects that the webhook validates a JobFlow.
func (c *Cluster) ExpectCycleRefused(ctx context.Context, namespace string) {
	GinkgoHelper()
	err := c.Create(ctx, Cycle(namespace))
	Expect(err).To(NameTheCycle)
	testkit.Saw("admission refuses: %v", err)
}

// KeepAskingAdmission calls AskAdmission repeatedly, like users who create JobFlows while the
// operator is replaced. The returned function stops it, and returns the number of calls and the
// errors.
func (c *Cluster) KeepAskingAdmission(ctx context.Context, namespace string) (stop func() (asked int, refusals []string)) {
	ctx, cancel := context.WithCancel(ctx)
	began := time.Now()
	var askers sync.WaitGroup
	var mu sync.Mutex
	var asked int
	var refusals []string
	for range 4 {
		askers.Go(func() {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil {
				// Stopping does not cancel a request that is in flight.
				err := c.AskAdmission(context.WithoutCancel(ctx), namespace)
				mu.Lock()
				if asked++; err != nil {
					refusals = append(refusals, fmt.Sprintf("%s after the first question: %s", time.Since(began).Round(100*time.Millisecond), err))
				}
				mu.Unlock()
				<-tick.C
			}
		})
	}
	DeferCleanup(cancel)
	return func() (int, []string) {
		cancel()
		askers.Wait()
		return asked, refusals
	}
}
