package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
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
		namespace := newNamespace(ctx)
		seen := recordOfSpec(namespace)
		account := "system:serviceaccount:" + namespace + ":deployer"
		grant := func(arguments ...string) {
			GinkgoHelper()
			kubectl(ctx, append([]string{"create", "--namespace", namespace}, arguments...)...).succeeded()
		}
		// The API server reads roles from a cache.
		untilMayCreate := func(resource string) {
			GinkgoHelper()
			Eventually(ctx, func(ctx context.Context) string {
				return kubectl(ctx, "auth", "can-i", "create", resource, "--namespace", namespace, "--as", account).stdout
			}).Should(Equal("yes\n"))
		}
		apply := func() output {
			GinkgoHelper()
			return kubectlWith(ctx, deployed, "apply", "--namespace", namespace, "--as", account, "--filename", "-")
		}
		grant("serviceaccount", "deployer")
		grant("role", "flows", "--verb=create,get,patch", "--resource=jobflows.api.practice.com")
		grant("rolebinding", "flows", "--role=flows", "--serviceaccount="+namespace+":deployer")
		untilMayCreate("jobflows.api.practice.com")

		refused := apply()
		Expect(refused.failed).To(BeTrue())
		Expect(refused.stderr).To(And(
			ContainSubstring("Error from server (Forbidden)"),
			ContainSubstring(`user %q cannot create resource "jobs" in API group "batch" in the namespace %q`, account, namespace),
			ContainSubstring(`grant the user "create" on "jobs.batch"`),
		))
		expectNothingStored(ctx, namespace, seen)

		grant("rolebinding", "edit", "--clusterrole=edit", "--serviceaccount="+namespace+":deployer")
		untilMayCreate("jobs.batch")
		apply().succeeded()
		expectEnd(ctx, getFlow(ctx, namespace, "flow"), time.Minute, v1alpha1.StateSucceed)
		Expect(seen.created()).To(Equal(onceEach("flow-work")))
	})
})
