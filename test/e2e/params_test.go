package e2e

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

var _ = Describe("Global parameters", func() {
	It("reach Jobs, pods, containers and init containers, and the step's own win", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)

		own := flows.Step("own", "env")
		own.JobTemplate.Template.Labels = map[string]string{"team": "own"}
		own.JobTemplate.Template.Annotations = map[string]string{"note": "own"}
		pod := &own.JobTemplate.Template.Spec
		pod.InitContainers = []corev1.Container{flows.Container("env")}
		pod.InitContainers[0].Name = "before"
		pod.Containers[0].Env = []corev1.EnvVar{{Name: "FOO", Value: "own, not $(QUE)"}}
		flow := flows.New(namespace, "flow", own)
		flow.Spec.GlobalParams = &v1alpha1.GlobalParams{CommonParams: v1alpha1.CommonParams{
			Env:         []corev1.EnvVar{{Name: "FOO", Value: "bar"}, {Name: "QUE", Value: "pasa"}},
			Labels:      map[string]string{"team": "global", "tier": "global"},
			Annotations: map[string]string{"note": "global", "hint": "global"},
		}}
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		expectEnd(ctx, flow, v1alpha1.StateSucceed)

		ran := seen.PodOf("flow-own")
		Expect(strings.Split(k8s.Logs(ctx, ran, "main"), "\n")).To(ContainElements("FOO=own, not pasa", "QUE=pasa"))
		Expect(strings.Split(k8s.Logs(ctx, ran, "before"), "\n")).To(ContainElements("FOO=bar", "QUE=pasa"))

		job := &batchv1.Job{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "flow-own"}, job)).To(Succeed())
		for kind, object := range map[string]client.Object{"Job": job, "pod": ran} {
			Expect(object.GetLabels()).To(And(
				HaveKeyWithValue("team", "own"), HaveKeyWithValue("tier", "global"),
				HaveKeyWithValue(v1alpha1.JobFlowLabel, "flow"), HaveKeyWithValue(v1alpha1.FlowLabel, "own")), kind)
			Expect(object.GetAnnotations()).To(And(
				HaveKeyWithValue("note", "own"), HaveKeyWithValue("hint", "global")), kind)
		}
	})
})
