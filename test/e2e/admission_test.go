package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

// A cycle of b and c, an unknown name nearest to a, a volume that is nowhere.
const threeMistakes = `
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata:
  name: mistakes
spec:
  flows:
    - name: prepare
      jobTemplate: &job
        template:
          spec:
            containers: [{name: main, image: "busybox:1.28"}]
    - name: b
      dependencies: [prepare, c]
      jobTemplate: *job
    - name: c
      dependencies: [b]
      jobTemplate: *job
    - name: d
      dependencies: [prepar]
      jobTemplate: *job
    - name: e
      shareVolumeMounts: [{name: nowhere, mountPath: /data}]
      jobTemplate: *job
`

const typo = `
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata:
  name: typo
spec:
  flows:
    - name: a
      jobTemplate:
        template:
          spec:
            containers: [{name: main, image: "busybox:1.28", imagePullPolcy: Never}]
`

var _ = Describe("kubectl apply", func() {
	It("refuses a JobFlow with all its mistakes at once, and stores nothing", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		applied := cli.KubectlWith(ctx, threeMistakes, "apply", "--namespace", namespace, "--filename", "-")
		Expect(applied.Failed).To(BeTrue())
		Expect(applied.Stderr).To(ContainSubstring(`spec.flows[3].dependencies[0]: Invalid value: "prepar": no step has this name; did you mean "prepare"?`))
		Expect(applied.Stderr).To(MatchRegexp(`spec\.flows\[[12]\]\.dependencies\[[01]\]: Invalid value: "[bc]": is part of a cycle.*(b -> c -> b|c -> b -> c)`))
		Expect(applied.Stderr).To(ContainSubstring(`spec.flows[4].shareVolumeMounts[0].name`))
		expectNothingStored(ctx, namespace, seen)
	})

	It("reports a misspelt field deep in a pod template", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		applied := cli.KubectlWith(ctx, typo, "apply", "--namespace", namespace, "--filename", "-")
		Expect(applied.Failed).To(BeTrue())
		Expect(applied.Stderr).To(ContainSubstring(`unknown field "spec.flows[0].jobTemplate.template.spec.containers[0].imagePullPolcy"`))
		expectNothingStored(ctx, namespace, seen)
	})
})

func expectNothingStored(ctx SpecContext, namespace string, seen *record.Record) {
	GinkgoHelper()
	var flows v1alpha1.JobFlowList
	Expect(k8s.List(ctx, &flows, client.InNamespace(namespace))).To(Succeed())
	Expect(flows.Items).To(BeEmpty())
	Expect(seen.Created()).To(BeEmpty())
}
