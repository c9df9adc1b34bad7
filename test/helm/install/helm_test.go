package install_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

const (
	operatorNamespace = "jobflow-operator-system"
	operatorName      = "jobflow-operator-controller-manager"
	configuration     = "jobflow-operator-validating-webhook-configuration"
)

var _ = Describe("With Helm", Ordered, func() {
	var namespace string
	chart := repository.Path("charts/jobflow-operator")
	release := func(ctx context.Context, verb, chart string, more ...string) cli.Output {
		GinkgoHelper()
		repository, tag := image()
		return helm(ctx, append([]string{verb, "jobflow-operator", chart, "--namespace", operatorNamespace,
			"--set", "image.repository=" + repository, "--set", "image.tag=" + tag, "--wait", "--timeout", "3m"}, more...)...)
	}

	BeforeAll(func(ctx SpecContext) {
		namespace = k8s.NewNamespace(ctx, specPrefix)
		DeferCleanup(func(ctx SpecContext) {
			// Whatever became of the specs.
			helm(ctx, "uninstall", "jobflow-operator", "--namespace", operatorNamespace, "--ignore-not-found", "--wait").Succeeded()
			cli.Kubectl(ctx, append([]string{"delete", "crd", "--ignore-not-found"}, crds...)...).Succeeded()
			cli.Kubectl(ctx, "delete", "namespace", operatorNamespace, "--ignore-not-found").Succeeded()
		}, NodeTimeout(3*testkit.Hang))
	})

	It("an earlier chart, whose CRDs say less, is installed; what its notes tell to wait for comes", func(ctx SpecContext) {
		installed := release(ctx, "install", earlier(chart), "--create-namespace").Succeeded()
		waits := 0
		for line := range strings.Lines(installed.Stdout) {
			words := strings.Fields(line)
			if len(words) > 2 && words[0] == "kubectl" && (words[1] == "wait" && strings.HasPrefix(words[2], "validating") || words[3] == "rollout") {
				cli.Run(ctx, "", "sh", "-c", line).Succeeded()
				waits++
			}
		}
		Expect(waits).To(Equal(2))
		Expect(columnsOf(ctx)).To(BeEmpty())
	})

	It("its pods pass the Pod Security Standard restricted", func(ctx SpecContext) {
		labelled := cli.Kubectl(ctx, "label", "namespace", operatorNamespace, "pod-security.kubernetes.io/enforce=restricted").Succeeded()
		Expect(labelled.Stderr).NotTo(ContainSubstring("Warning"))
	})

	It("a sample runs, and what is wrong is refused", func(ctx SpecContext) {
		k8s.AwaitAdmission(ctx, namespace)
		// The published sleep is left to test/e2e, as are the other samples.
		sample := string(manifests.Read(GinkgoTB(), "config/samples/daemonjob.yaml"))
		shorter := strings.Replace(sample, "sleep 100s", "sleep 4s", 1)
		Expect(shorter).NotTo(Equal(sample))
		cli.KubectlWith(ctx, shorter, "apply", "--namespace", namespace, "--filename", "-").Succeeded()
		succeeds(ctx, namespace, "daemonjob/daemonjob-example")
		k8s.ExpectCycleRefused(ctx, namespace)
	})

	It("an upgrade brings other values and CRDs, a flow in the middle of it goes on, and nobody is refused meanwhile", func(ctx SpecContext) {
		own := k8s.NewNamespace(ctx, specPrefix)
		seen := record.Start(k8s, own)
		flow := flows.New(own, "upgraded", flows.Step("first", "true"), flows.Step("long", flows.Hold, "first"), flows.Step("beside", "sleep 1", "first"), flows.Step("last", "true", "long", "beside"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		seen.AwaitRunning("upgraded-long")
		ca := announcedCA(ctx)
		pods, err := k8s.OperatorPods(ctx)
		Expect(err).NotTo(HaveOccurred())

		stop := k8s.KeepAskingAdmission(ctx, own)
		release(ctx, "upgrade", chart, "--set", "workers=4", "--set", "log.level=debug").Succeeded()
		for _, pod := range pods {
			Eventually(ctx, func(ctx context.Context) bool {
				return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(&pod), &corev1.Pod{}))
			}).Should(BeTrue(), "the old pod %s is still there", pod.Name)
		}
		asked, refusals := stop()
		testkit.Saw("admission was asked %d times while the operator was upgraded", asked)
		Expect(refusals).To(BeEmpty())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(flow), flow)).To(Succeed())
		Expect(flow.Status.State).To(Equal(v1alpha1.StateRunning))

		deployment := &appsv1.Deployment{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}, deployment)).To(Succeed())
		Expect(deployment.Spec.Template.Spec.Containers[0].Args).To(Equal([]string{"--leader-elect", "--workers=4", "--zap-log-level=debug"}))
		Expect(k8s.OperatorPods(ctx)).To(HaveLen(1))
		Expect(columnsOf(ctx)).To(And(Not(BeEmpty()), Equal(columns(manifests.Load[apiextensionsv1.CustomResourceDefinition](GinkgoTB(), "config/crd/bases/"+jobFlowsFile)))))
		Expect(announcedCA(ctx)).To(Equal(ca), "the upgrade took the webhooks' CA away")

		k8s.Release(ctx, own, "upgraded-long")
		succeeds(ctx, own, "jobflow/upgraded")
		Expect(seen.Created()).To(Equal(record.OnceEach("upgraded-first", "upgraded-long", "upgraded-beside", "upgraded-last")))
		k8s.ExpectCycleRefused(ctx, namespace)
	})

	It("an upgrade makes it two replicas on two nodes, of which one acts", func(ctx SpecContext) {
		release(ctx, "upgrade", chart, "--reset-values", "--set", "replicas=2", "--set", "podDisruptionBudget.enabled=true", "--set", "networkPolicy.enabled=true").Succeeded()
		var pods []corev1.Pod
		Eventually(ctx, func(ctx context.Context) (_ []corev1.Pod, err error) {
			pods, err = k8s.OperatorPods(ctx)
			return pods, err
		}).Should(And(HaveLen(2), HaveEach(HaveField("Status.Conditions", cluster.Ready))))
		Expect(pods[0].Spec.NodeName).NotTo(Equal(pods[1].Spec.NodeName))
		holder := func(ctx context.Context) (string, error) {
			lease := &coordinationv1.Lease{}
			err := k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: cluster.LeaseName}, lease)
			return ptr.Deref(lease.Spec.HolderIdentity, ""), err
		}
		Eventually(ctx, holder).Should(Or(HavePrefix(pods[0].Name+"_"), HavePrefix(pods[1].Name+"_")))
		cli.Kubectl(ctx, "get", "poddisruptionbudget,networkpolicy", "--namespace", operatorNamespace).Succeeded()
		runs(ctx, namespace, "two-replicas")
		k8s.ExpectCycleRefused(ctx, namespace)
	})

	It("a certificate of one's own takes the place of the operator's, and a rollback brings that back", func(ctx SpecContext) {
		files := makeCertificate("jobflow-operator-webhook-service." + operatorNamespace + ".svc")
		cli.Kubectl(ctx, "create", "secret", "tls", "company", "--cert", files.crt, "--key", files.key, "--namespace", operatorNamespace).Succeeded()
		values := []string{"--reset-values", "--set", "webhook.certificate.source=secret", "--set", "webhook.certificate.secretName=company", "--set-file", "webhook.certificate.caBundle=" + files.ca}
		release(ctx, "upgrade", chart, values...).Succeeded()
		ca, err := os.ReadFile(files.ca)
		Expect(err).NotTo(HaveOccurred())
		Expect(caIn(ctx, configuration+"-secret")).To(Equal(string(ca)))
		gone := cli.Kubectl(ctx, "get", "--namespace", operatorNamespace, "validatingwebhookconfiguration/"+configuration, "secret/jobflow-operator-webhook-server-cert", "role/jobflow-operator-certificate-role", "clusterrole/jobflow-operator-certificate-role")
		Expect(strings.Count(gone.Stderr, "NotFound")).To(Equal(4))
		k8s.AwaitAdmission(ctx, namespace)
		k8s.ExpectCycleRefused(ctx, namespace)
		runs(ctx, namespace, "own-certificate")

		// Revisions: 1 installed, 2 and 3 upgraded, 4 with the certificate.
		helm(ctx, "rollback", "jobflow-operator", "3", "--namespace", operatorNamespace, "--wait", "--timeout", "3m").Succeeded()
		Eventually(ctx, announcedCA).ShouldNot(Or(BeEmpty(), Equal(string(ca))))
		k8s.AwaitAdmission(ctx, namespace)
		k8s.ExpectCycleRefused(ctx, namespace)
		cli.Kubectl(ctx, "delete", "secret", "company", "--namespace", operatorNamespace).Succeeded()
	})

	It("helm uninstall leaves the CRDs with their objects, the namespace and a Lease, and nothing else", func(ctx SpecContext) {
		helm(ctx, "uninstall", "jobflow-operator", "--namespace", operatorNamespace, "--wait", "--timeout", "2m").Succeeded()
		Eventually(ctx, added).Should(ConsistOf(
			"customresourcedefinitions /daemonjobs.api.practice.com",
			"customresourcedefinitions /jobflows.api.practice.com",
			"customresourcedefinitions /jobtemplates.api.practice.com",
			"apiservices /v1alpha1.api.practice.com",
			"namespaces /"+operatorNamespace,
			"leases "+operatorNamespace+"/jobflow-operator.api.practice.com",
			"serviceaccounts "+operatorNamespace+"/default",
			"configmaps "+operatorNamespace+"/kube-root-ca.crt",
			HavePrefix("namespaces /"+specPrefix),
		))
		expectSucceeded(ctx, namespace, "daemonjob/daemonjob-example")
		expectSucceeded(ctx, namespace, "jobflow/two-replicas")
	})

	It("the same release takes the CRDs up again, and nothing is left once they and the namespace are deleted", func(ctx SpecContext) {
		release(ctx, "install", chart).Succeeded()
		k8s.AwaitAdmission(ctx, namespace)
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "two-replicas"}, &v1alpha1.JobFlow{})).To(Succeed())
		helm(ctx, "uninstall", "jobflow-operator", "--namespace", operatorNamespace, "--wait", "--timeout", "2m").Succeeded()
		cli.Kubectl(ctx, append([]string{"delete", "crd"}, crds...)...).Succeeded()
		cli.Kubectl(ctx, "delete", "namespace", operatorNamespace).Succeeded()
		Eventually(ctx, added).Should(HaveEach(HavePrefix("namespaces /" + specPrefix)))
	})
})

const (
	jobFlows     = "jobflows.api.practice.com"
	jobFlowsFile = "api.practice.com_jobflows.yaml"
)

// earlier is the chart as it might have been before its CRD of JobFlows got columns.
func earlier(chart string) string {
	GinkgoHelper()
	directory := filepath.Join(GinkgoT().TempDir(), "jobflow-operator")
	Expect(os.CopyFS(directory, os.DirFS(chart))).To(Succeed())
	crd := manifests.Load[map[string]any](GinkgoTB(), "charts/jobflow-operator/files/crds/"+jobFlowsFile)
	version := crd["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
	delete(version, "additionalPrinterColumns")
	content, err := yaml.Marshal(crd)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(directory, "files", "crds", jobFlowsFile), content, 0o600)).To(Succeed())
	return directory
}

// columnsOf are the names of the columns that kubectl shows of JobFlows.
func columnsOf(ctx context.Context) []string {
	GinkgoHelper()
	var crd apiextensionsv1.CustomResourceDefinition
	Expect(k8s.Get(ctx, client.ObjectKey{Name: jobFlows}, &crd)).To(Succeed())
	return columns(crd)
}

func columns(crd apiextensionsv1.CustomResourceDefinition) []string {
	var names []string
	for _, column := range crd.Spec.Versions[0].AdditionalPrinterColumns {
		names = append(names, column.Name)
	}
	// The API server puts the age where there is nothing.
	if len(names) == 1 && names[0] == "Age" {
		return nil
	}
	return names
}

// announcedCA is what the API server knows the webhooks by, "" if nothing.
func announcedCA(ctx context.Context) string { return caIn(ctx, configuration) }

func caIn(ctx context.Context, configuration string) string {
	GinkgoHelper()
	found := cli.Kubectl(ctx, "get", "validatingwebhookconfiguration", configuration, "--output", `go-template={{range .webhooks}}{{.clientConfig.caBundle | base64decode}}{{break}}{{end}}`)
	if found.Failed {
		return ""
	}
	return found.Stdout
}
