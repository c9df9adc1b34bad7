package install_test

import (
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
)

var _ = Describe("With kubectl apply -f dist/install.yaml, client side", func() {
	It("it is installed, works, is applied once more without a change, and removed", func(ctx SpecContext) {
		content := string(manifests.Read(GinkgoTB(), "dist/install.yaml"))
		// As the docs have it, for an image of one's own.
		Expect(strings.Count(content, "ghcr.io/jobflow-operator/jobflow-operator:v0.2.0")).To(Equal(1))
		file := filepath.Join(GinkgoT().TempDir(), "install.yaml")
		Expect(os.WriteFile(file, []byte(strings.ReplaceAll(content, "ghcr.io/jobflow-operator/jobflow-operator:v0.2.0", os.Getenv("IMG"))), 0o600)).To(Succeed())
		namespace := k8s.NewNamespace(ctx, specPrefix)
		DeferCleanup(func(ctx SpecContext) {
			cli.Kubectl(ctx, "delete", "--ignore-not-found", "--filename", file).Succeeded()
			Eventually(ctx, added).Should(HaveEach(HavePrefix("namespaces /" + specPrefix)))
		}, NodeTimeout(2*testkit.Hang))

		cli.Kubectl(ctx, "apply", "--filename", file).Succeeded()
		cli.Kubectl(ctx, "rollout", "status", "deployment/"+operatorName, "--namespace", operatorNamespace, "--timeout", "2m").Succeeded()
		cli.Kubectl(ctx, "wait", "validatingwebhookconfiguration/"+configuration, "--for=jsonpath={.webhooks[0].clientConfig.caBundle}", "--timeout", "2m").Succeeded()
		k8s.AwaitAdmission(ctx, namespace)
		k8s.ExpectCycleRefused(ctx, namespace)
		runs(ctx, namespace, "applied")

		// kubectl says "configured" wherever it sends a patch, also one that changes nothing.
		generations := func() string {
			GinkgoHelper()
			return cli.Kubectl(ctx, "get", "--filename", file, "--output", `jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.generation}{"\n"}{end}`).Succeeded().Stdout
		}
		ca, generation := announcedCA(ctx), generations()
		Expect(generation).To(ContainSubstring("ValidatingWebhookConfiguration " + configuration))
		cli.Kubectl(ctx, "apply", "--filename", file).Succeeded()
		Expect(generations()).To(Equal(generation))
		Expect(announcedCA(ctx)).To(Equal(ca))
		k8s.ExpectCycleRefused(ctx, namespace)
	})
})
