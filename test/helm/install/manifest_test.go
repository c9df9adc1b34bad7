package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("With kubectl apply -f dist/install.yaml, client side", func() {
	It("it is installed, works, is applied once more without a change, and removed", func(ctx SpecContext) {
		content, err := os.ReadFile(filepath.Join(root, "dist", "install.yaml"))
		Expect(err).NotTo(HaveOccurred())
		// As the docs have it, for an image of one's own.
		Expect(strings.Count(string(content), "ghcr.io/jobflow-operator/jobflow-operator:v0.2.0")).To(Equal(1))
		file := filepath.Join(GinkgoT().TempDir(), "install.yaml")
		Expect(os.WriteFile(file, []byte(strings.ReplaceAll(string(content), "ghcr.io/jobflow-operator/jobflow-operator:v0.2.0", os.Getenv("IMG"))), 0o600)).To(Succeed())
		namespace := newNamespace(ctx)
		DeferCleanup(func(ctx SpecContext) {
			kubectl(ctx, "delete", "--ignore-not-found", "--filename", file).succeeded()
			Eventually(ctx, since(before)).Should(HaveEach(HavePrefix("namespaces /" + specPrefix)))
		}, NodeTimeout(2*time.Minute))

		kubectl(ctx, "apply", "--filename", file).succeeded()
		kubectl(ctx, "rollout", "status", "deployment/"+operatorName, "--namespace", operatorNamespace, "--timeout", "2m").succeeded()
		kubectl(ctx, "wait", "validatingwebhookconfiguration/"+configuration, "--for=jsonpath={.webhooks[0].clientConfig.caBundle}", "--timeout", "2m").succeeded()
		awaitAdmission(ctx, namespace)
		refuses(ctx, namespace)
		runs(ctx, namespace, "applied")

		// kubectl says "configured" wherever it sends a patch, also one that changes nothing.
		generations := func() string {
			GinkgoHelper()
			return kubectl(ctx, "get", "--filename", file, "--output", `jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.generation}{"\n"}{end}`).succeeded().stdout
		}
		ca, generation := announcedCA(ctx), generations()
		Expect(generation).To(ContainSubstring("ValidatingWebhookConfiguration " + configuration))
		kubectl(ctx, "apply", "--filename", file).succeeded()
		Expect(generations()).To(Equal(generation))
		Expect(announcedCA(ctx)).To(Equal(ca))
		refuses(ctx, namespace)
	})
})
