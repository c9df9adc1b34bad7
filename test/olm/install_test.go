package olm

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

var _ = Describe("The current version", func() {
	It("is installed by a Subscription, runs its examples, holds an upgrade while a flow runs, and is removed without a trace", func(ctx SpecContext) {
		DeferCleanup(showOnFailure, NodeTimeout(testkit.Hang))
		before := everything(ctx)
		cli.Kubectl(ctx, "create", "namespace", work).Succeeded()

		t := newTimeline("a fresh installation of " + current)
		addCatalog(ctx, fresh, catalogCurrent)
		subscribe(ctx, fresh, "Automatic", "{}")
		t.note("CatalogSource, Namespace, OperatorGroup and Subscription applied")
		t.reaches(ctx, "READY", source(fresh), "{.status.connectionState.lastObservedState}")
		expectInstalled(ctx, t, current)
		expectAdmission(ctx, current)
		t.note("a cycle is refused by admission, under OLM's certificate")
		t.reaches(ctx, "True NotHeld", operatorCondition(current), upgradeable)

		seen := record.Start(k8s, work)
		examples := applyExamples(ctx)
		t.note("the CSV's %d examples applied", len(examples))
		// The examples end by themselves. This flow runs until Release, so it outlasts the
		// checks in between.
		Expect(k8s.Create(ctx, flows.New(work, "holding", flows.Step("a", flows.Hold)))).To(Succeed())

		By("holding upgrades")
		patch(ctx, subscription, `{"spec":{"config":{"env":[{"name":"HOLD_UPGRADES","value":"true"}]}}}`)
		t.reaches(ctx, "False FlowsRunning", operatorCondition(current), upgradeable)
		t.reaches(ctx, "Succeeded", csv(current), "{.status.phase}")
		addCatalog(ctx, fresh, catalogNext)
		t.note("a catalog with %s published", next)
		t.reaches(ctx, "Pending", csv(next), "{.status.phase}")
		t.reaches(ctx, "OperatorConditionNotUpgradeable", csv(next), "{.status.reason}")

		By("waiting for the examples")
		for _, example := range examples {
			if example.GetKind() != "JobTemplate" {
				t.reaches(ctx, "Succeed", workload(example.GetKind(), example.GetName()), "{.status.state}")
			}
		}
		Expect(field(ctx, csv(next), "{.status.reason}")).To(Equal("OperatorConditionNotUpgradeable"), "the flow still runs")
		Expect(field(ctx, csv(current), "{.status.phase}")).NotTo(BeEmpty())
		Expect(ownerOfDeployment(ctx)).To(Equal(current))

		By("letting the flow end")
		k8s.Release(ctx, work, "holding-a")
		t.reaches(ctx, "Succeed", workload("JobFlow", "holding"), "{.status.state}")
		Expect(seen.Created()).To(And(Not(BeEmpty()), HaveEach(1)), "how often each Job was created")
		t.reaches(ctx, "Succeeded", csv(next), "{.status.phase}")
		t.note("upgraded once nothing ran")
		awaitGone(ctx, csv(current))
		Expect(ownerOfDeployment(ctx)).To(Equal(next))
		expectAdmission(ctx, next)
		uninstall(ctx, t, fresh, before)
	}, SpecTimeout(10*time.Minute))
})

// upgradeable is the JSONPath of an OperatorCondition to whether OLM may upgrade, and to the
// reason.
const upgradeable = `{.spec.conditions[?(@.type=="Upgradeable")].status} {.spec.conditions[?(@.type=="Upgradeable")].reason}`

// applyExamples creates the alm-examples of the CSV in the cluster, as a console does,
// but with shorter sleeps: test/e2e waits for the samples as they are published.
func applyExamples(ctx context.Context) []unstructured.Unstructured {
	GinkgoHelper()
	text := field(ctx, csv(current), `{.metadata.annotations.alm-examples}`)
	Expect(text).To(ContainSubstring("sleep 100s"))
	var examples []unstructured.Unstructured
	Expect(json.Unmarshal([]byte(strings.NewReplacer("sleep 100s", "sleep 4s", "sleep 10s", "sleep 2s").Replace(text)), &examples)).To(Succeed())
	Expect(examples).NotTo(BeEmpty())
	for i := range examples {
		examples[i].SetNamespace(work)
		Expect(k8s.Create(ctx, examples[i].DeepCopy())).To(Succeed())
	}
	return examples
}

// ownerOfDeployment is the CSV whose Deployment is there.
func ownerOfDeployment(ctx context.Context) string {
	GinkgoHelper()
	deployment := &appsv1.Deployment{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "jobflow-operator-controller-manager"}, deployment)).To(Succeed())
	owners := deployment.GetOwnerReferences()
	Expect(owners).To(HaveLen(1))
	return owners[0].Name
}
