package cluster

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// rollOut replaces the operator's pod, as an upgrade does, while others go on
// creating JobFlows: none of them is refused.
func rollOut(ctx context.Context, t *trial, leader *corev1.Pod) {
	GinkgoHelper()
	began := time.Now()
	stop := k8s.KeepAskingAdmission(ctx, t.namespace)
	patchOperator(ctx, func(d *appsv1.Deployment) {
		d.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": began.Format(time.RFC3339)}
	})
	Eventually(ctx, func(ctx context.Context) bool {
		return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(leader), &corev1.Pod{}))
	}).WithTimeout(awaited).Should(BeTrue(), "the old pod is still there")
	answers, refusals := stop()
	t.part.Checks += answers
	t.part.Violations = append(t.part.Violations, refusals...)
	t.part.Add("JobFlows that admission was asked about meanwhile", answers)
	t.part.Add("from the rollout to the end of the old pod", seconds(time.Since(began)))

	awaitLeaderAfter(ctx, t, "the rollout", began)
}
