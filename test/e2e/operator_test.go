package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// operator is the Deployment that was installed.
var operator appsv1.Deployment

// findOperator looks for the Deployment by its label, since who installs the
// operator may choose another namespace.
func findOperator(ctx context.Context) {
	GinkgoHelper()
	label := client.MatchingLabels{"app.kubernetes.io/name": "jobflow-operator"}
	var found appsv1.DeploymentList
	Expect(k8s.List(ctx, &found, label)).To(Succeed())
	if len(found.Items) == 0 {
		Fail("There is no operator in the cluster. Run these tests with make test-e2e, which installs it.")
	}
	operator = found.Items[0]
	Eventually(ctx, operatorPods).Should(ContainElement(HaveField("Status.Conditions", ready)))
	saw("operator %s/%s with the image %s", operator.Namespace, operator.Name, operator.Spec.Template.Spec.Containers[0].Image)
}

// ready is true of the conditions of a pod that takes requests.
var ready = ContainElement(And(
	HaveField("Type", corev1.PodReady),
	HaveField("Status", corev1.ConditionTrue),
))

// operatorPods are the operator's pods that are not on their way out.
func operatorPods(ctx context.Context) ([]corev1.Pod, error) {
	selector, err := metav1.LabelSelectorAsSelector(operator.Spec.Selector)
	if err != nil {
		return nil, err
	}
	var pods corev1.PodList
	if err := k8s.List(ctx, &pods, client.InNamespace(operator.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, err
	}
	var living []corev1.Pod
	for i := range pods.Items {
		if pods.Items[i].DeletionTimestamp == nil {
			living = append(living, pods.Items[i])
		}
	}
	return living, nil
}
