package olm

import (
	"context"
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The examples of the CSV run for minutes. What else is about work that runs is tested
// meanwhile: an administrator may hold upgrades until it has ended.
var _ = Describe("The current version", func() {
	It("is installed by a Subscription, runs its examples, holds an upgrade while they run, and is removed without a trace", func(ctx SpecContext) {
		DeferCleanup(showOnFailure, NodeTimeout(time.Minute))
		before := everything(ctx)
		kubectl(ctx, "create", "namespace", work).succeeded()

		t := newTimeline("a fresh installation of " + current)
		addCatalog(ctx, fresh, catalogCurrent)
		subscribe(ctx, fresh, "Automatic", "{}")
		t.note("CatalogSource, Namespace, OperatorGroup and Subscription applied")
		t.reaches(ctx, time.Minute, "READY", source(fresh), "olm", "{.status.connectionState.lastObservedState}")
		expectInstalled(ctx, t, current)
		expectAdmission(ctx)
		t.note("a cycle is refused by admission, under OLM's certificate")
		Eventually(ctx, upgradeable).WithArguments(current).Should(Equal("True NotHeld"))

		seen := recordOfSpec(work)
		examples := applyExamples(ctx)
		t.note("the CSV's %d examples applied", len(examples))

		By("holding upgrades")
		kubectl(ctx, "patch", subscription, "--namespace", namespace, "--type=merge", "--patch",
			`{"spec":{"config":{"env":[{"name":"HOLD_UPGRADES","value":"true"}]}}}`).succeeded()
		Eventually(ctx, upgradeable).WithArguments(current).Should(Equal("False FlowsRunning"))
		t.note("OperatorCondition Upgradeable is False while the examples run")
		t.reaches(ctx, time.Minute, "Succeeded", csv(current), namespace, "{.status.phase}")
		addCatalog(ctx, fresh, catalogNext)
		t.note("a catalog with %s published", next)
		t.reaches(ctx, 2*time.Minute, "Pending", csv(next), namespace, "{.status.phase}")
		t.reaches(ctx, time.Minute, "OperatorConditionNotUpgradeable", csv(next), namespace, "{.status.reason}")
		Expect(field(ctx, csv(current), namespace, "{.status.phase}")).NotTo(BeEmpty())
		Expect(ownerOfDeployment(ctx)).To(Equal(current))

		By("waiting for the examples")
		for _, example := range examples {
			if example.GetKind() == "JobTemplate" {
				continue
			}
			t.reaches(ctx, 5*time.Minute, "Succeed", example.GetKind()+".api.practice.com/"+example.GetName(), work, "{.status.state}")
		}
		Expect(seen.created()).To(And(Not(BeEmpty()), HaveEach(1)), "how often each Job was created")

		t.reaches(ctx, 2*time.Minute, "Succeeded", csv(next), namespace, "{.status.phase}")
		t.note("upgraded once nothing ran")
		Eventually(ctx, func(ctx context.Context) string { return field(ctx, csv(current), namespace, "{.metadata.name}") }).Should(BeEmpty())
		Expect(ownerOfDeployment(ctx)).To(Equal(next))
		expectAdmission(ctx)
		uninstall(ctx, t, fresh, before)
	}, SpecTimeout(10*time.Minute))
})

// applyExamples creates the alm-examples of the CSV in the cluster, as a console does.
func applyExamples(ctx context.Context) []unstructured.Unstructured {
	GinkgoHelper()
	var examples []unstructured.Unstructured
	var raw []map[string]any
	Expect(json.Unmarshal([]byte(field(ctx, csv(current), namespace, `{.metadata.annotations.alm-examples}`)), &raw)).To(Succeed())
	Expect(raw).NotTo(BeEmpty())
	for _, object := range raw {
		example := unstructured.Unstructured{Object: object}
		example.SetNamespace(work)
		Expect(k8s.Create(ctx, example.DeepCopy())).To(Succeed())
		examples = append(examples, example)
	}
	return examples
}

// upgradeable is what the operator tells OLM: status and reason of its condition.
func upgradeable(ctx context.Context, version string) string {
	return field(ctx, "operatorcondition.operators.coreos.com/"+version, namespace,
		`{.spec.conditions[?(@.type=="Upgradeable")].status} {.spec.conditions[?(@.type=="Upgradeable")].reason}`)
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
