package e2e

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/operator-framework/api/crds"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// What OLM makes for an operator: the OperatorCondition, and permission for this one.
const operatorCondition = `
apiVersion: operators.coreos.com/v2
kind: OperatorCondition
metadata: {name: jobflow-operator.e2e, namespace: %[1]s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: jobflow-operator.e2e, namespace: %[1]s}
rules:
- apiGroups: [operators.coreos.com]
  resources: [operatorconditions]
  resourceNames: [jobflow-operator.e2e]
  verbs: [get, update, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: jobflow-operator.e2e, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: jobflow-operator.e2e}
subjects:
- {kind: ServiceAccount, name: %[2]s, namespace: %[1]s}
`

var _ = Describe("An operator that OLM is to replace by a newer version", func() {
	It("says that it may not be replaced while a JobFlow runs, if it is asked to", func(ctx SpecContext) {
		for _, variable := range operator.Spec.Template.Spec.Containers[0].Env {
			if variable.Name == "OPERATOR_CONDITION_NAME" {
				Skip("OLM has installed this operator, and an OperatorCondition of its own")
			}
		}
		namespace := newNamespace(ctx)
		makeOperatorCondition(ctx)
		setEnvironment(ctx, "OPERATOR_CONDITION_NAME=jobflow-operator.e2e", "HOLD_UPGRADES=true")
		Eventually(ctx, upgradeable).Should(Equal("True NothingRuns"))

		flow := flowOf(namespace, step("first", "sleep 3"), step("last", "sleep 3", "first"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		Eventually(ctx, upgradeable).Should(Equal("False FlowsRunning"))
		expectEnd(ctx, flow, time.Minute, v1alpha1.StateSucceed)
		Eventually(ctx, upgradeable).Should(Equal("True NothingRuns"))

		setEnvironment(ctx, "HOLD_UPGRADES-")
		Eventually(ctx, upgradeable).Should(Equal("True NotHeld"))
	})
})

func makeOperatorCondition(ctx context.Context) {
	GinkgoHelper()
	crd, err := yaml.Marshal(crds.OperatorCondition())
	Expect(err).NotTo(HaveOccurred())
	kubectlWith(ctx, string(crd), "create", "--filename", "-").succeeded()
	manifests := fmt.Sprintf(operatorCondition, operator.Namespace, operator.Spec.Template.Spec.ServiceAccountName)
	DeferCleanup(func(ctx SpecContext) {
		kubectlWith(ctx, manifests, "delete", "--ignore-not-found", "--filename", "-").succeeded()
		kubectlWith(ctx, string(crd), "delete", "--filename", "-").succeeded()
	}, NodeTimeout(time.Minute))
	kubectl(ctx, "wait", "--for", "condition=Established", "crd/operatorconditions.operators.coreos.com").succeeded()
	kubectlWith(ctx, manifests, "create", "--filename", "-").succeeded()
}

// setEnvironment gives the operator variables, as OLM does from spec.config of a
// Subscription. The spec ends only when it runs again without them.
func setEnvironment(ctx SpecContext, variables ...string) {
	GinkgoHelper()
	deployment := "deployment/" + operator.Name
	set := func(ctx context.Context, variables ...string) {
		GinkgoHelper()
		kubectl(ctx, append([]string{"set", "env", "--namespace", operator.Namespace, deployment}, variables...)...).succeeded()
		kubectl(ctx, "rollout", "status", "--namespace", operator.Namespace, deployment, "--timeout", "2m").succeeded()
	}
	DeferCleanup(func(ctx SpecContext) {
		set(ctx, "OPERATOR_CONDITION_NAME-", "HOLD_UPGRADES-")
		awaitAdmission(ctx)
	}, NodeTimeout(3*time.Minute))
	set(ctx, variables...)
	awaitAdmission(ctx)
}

// upgradeable is the condition that OLM would read: its status and reason.
func upgradeable(ctx context.Context) (string, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: "operators.coreos.com", Version: "v2", Kind: "OperatorCondition"})
	if err := k8s.Get(ctx, client.ObjectKey{Namespace: operator.Namespace, Name: "jobflow-operator.e2e"}, object); err != nil {
		return "", err
	}
	conditions, _, err := unstructured.NestedSlice(object.Object, "spec", "conditions")
	if err != nil {
		return "", err
	}
	for _, condition := range conditions {
		if condition, ok := condition.(map[string]any); ok && condition["type"] == "Upgradeable" {
			return fmt.Sprintf("%v %v", condition["status"], condition["reason"]), nil
		}
	}
	return "", nil
}
