package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

const deployed = `
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata:
  name: flow
spec:
  flows:
    - name: work
      jobTemplate:
        template:
          spec:
            containers: [{name: main, image: "busybox:1.28", imagePullPolicy: IfNotPresent, command: ["true"]}]
`

var _ = Describe("A service account that may create JobFlows but not Jobs", func() {
	It("is refused, and its JobFlow runs once it has the cluster role edit", func(ctx SpecContext) {
		namespace, seen := newNamespace(ctx)
		account := "system:serviceaccount:" + namespace + ":deployer"
		grant := func(arguments ...string) {
			GinkgoHelper()
			cli.Kubectl(ctx, append([]string{"create", "--namespace", namespace}, arguments...)...).Succeeded()
		}
		// The API server reads roles from a cache.
		untilMayCreate := func(resource string) {
			GinkgoHelper()
			Eventually(ctx, func(ctx context.Context) string {
				return cli.Kubectl(ctx, "auth", "can-i", "create", resource, "--namespace", namespace, "--as", account).Stdout
			}).Should(Equal("yes\n"))
		}
		apply := func() cli.Output {
			GinkgoHelper()
			return cli.KubectlWith(ctx, deployed, "apply", "--namespace", namespace, "--as", account, "--filename", "-")
		}
		grant("serviceaccount", "deployer")
		grant("role", "flows", "--verb=create,get,patch", "--resource=jobflows.api.practice.com")
		grant("rolebinding", "flows", "--role=flows", "--serviceaccount="+namespace+":deployer")
		untilMayCreate("jobflows.api.practice.com")

		refused := apply()
		Expect(refused.Failed).To(BeTrue())
		Expect(refused.Stderr).To(And(
			ContainSubstring("Error from server (Forbidden)"),
			ContainSubstring(`user %q cannot create resource "jobs" in API group "batch" in the namespace %q`, account, namespace),
			ContainSubstring(`grant the user "create" on "jobs.batch"`),
		))
		expectNothingStored(ctx, namespace, seen)

		grant("rolebinding", "edit", "--clusterrole=edit", "--serviceaccount="+namespace+":deployer")
		untilMayCreate("jobs.batch")
		apply().Succeeded()
		expectEnd(ctx, getFlow(ctx, namespace, "flow"), v1alpha1.StateSucceed)
		Expect(seen.Created()).To(Equal(record.OnceEach("flow-work")))
	})
})
