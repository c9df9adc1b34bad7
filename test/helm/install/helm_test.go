package install_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

const (
	operatorNamespace = "jobflow-operator-system"
	operatorName      = "jobflow-operator-controller-manager"
	configuration     = "jobflow-operator-validating-webhook-configuration"
)

var _ = Describe("With Helm", Ordered, func() {
	var namespace string
	chart := filepath.Join(root, "charts", "jobflow-operator")
	release := func(ctx context.Context, verb, chart string, more ...string) output {
		GinkgoHelper()
		repository, tag := image()
		return helm(ctx, append([]string{verb, "jobflow-operator", chart, "--namespace", operatorNamespace,
			"--set", "image.repository=" + repository, "--set", "image.tag=" + tag, "--wait", "--timeout", "3m"}, more...)...)
	}

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		DeferCleanup(func(ctx SpecContext) {
			// Whatever became of the specs.
			helm(ctx, "uninstall", "jobflow-operator", "--namespace", operatorNamespace, "--ignore-not-found", "--wait").succeeded()
			kubectl(ctx, append([]string{"delete", "crd", "--ignore-not-found"}, crds...)...).succeeded()
			kubectl(ctx, "delete", "namespace", operatorNamespace, "--ignore-not-found").succeeded()
		}, NodeTimeout(3*time.Minute))
	})

	It("an earlier chart, whose CRDs say less, is installed; what its notes tell to wait for comes", func(ctx SpecContext) {
		installed := release(ctx, "install", earlier(chart), "--create-namespace").succeeded()
		waits := 0
		for line := range strings.Lines(installed.stdout) {
			words := strings.Fields(line)
			if len(words) > 2 && words[0] == "kubectl" && (words[1] == "wait" && strings.HasPrefix(words[2], "validating") || words[3] == "rollout") {
				run(ctx, "", "sh", "-c", line).succeeded()
				waits++
			}
		}
		Expect(waits).To(Equal(2))
		Expect(columnsOf(ctx)).To(BeEmpty())
	})

	It("its pods pass the Pod Security Standard restricted", func(ctx SpecContext) {
		labelled := kubectl(ctx, "label", "namespace", operatorNamespace, "pod-security.kubernetes.io/enforce=restricted").succeeded()
		Expect(labelled.stderr).NotTo(ContainSubstring("Warning"))
	})

	It("samples run, and what is wrong is refused", func(ctx SpecContext) {
		awaitAdmission(ctx, namespace)
		// The published DaemonJob takes minutes: it goes on through all that follows.
		// The published JobFlow, which takes longer still, is left to test/e2e.
		applySample(ctx, namespace, "daemonjob.yaml")
		applySample(ctx, namespace, "jobflow-same-node.yaml")
		applySample(ctx, namespace, "jobflow-jobtemplate.yaml")
		succeeds(ctx, namespace, "jobflow/jobflow-same-node")
		succeeds(ctx, namespace, "jobflow/jobflow-jobtemplate")
		refuses(ctx, namespace)
	})

	It("an upgrade brings other values and CRDs, and a flow in the middle of it goes on", func(ctx SpecContext) {
		own := newNamespace(ctx)
		seen := recordFrom(ctx, own)
		created := seen.created
		flow := flowOf(own, "upgraded", step("first", "true"), step("long", "sleep 20", "first"), step("beside", "sleep 1; true", "first"), step("last", "true", "long", "beside"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		Eventually(created).Should(HaveKey("upgraded-long"))
		ca := announcedCA(ctx)
		pods := operatorPods(ctx)

		release(ctx, "upgrade", chart, "--set", "workers=4", "--set", "log.level=debug").succeeded()
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(flow), flow)).To(Succeed())
		Expect(flow.Status.State).To(Equal(v1alpha1.StateRunning), "the flow ended before the upgrade did, so that it shows nothing")
		saw("the flow %s after the upgrade", flow.Status.State)

		deployment := &appsv1.Deployment{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}, deployment)).To(Succeed())
		Expect(deployment.Spec.Template.Spec.Containers[0].Args).To(Equal([]string{"--leader-elect", "--workers=4", "--zap-log-level=debug"}))
		Expect(operatorPods(ctx).Intersection(pods)).To(BeEmpty())
		Expect(columnsOf(ctx)).To(Equal(columnsOfFile()))
		Expect(announcedCA(ctx)).To(Equal(ca), "the upgrade took the webhooks' CA away")

		succeeds(ctx, own, "jobflow/upgraded")
		Expect(created()).To(Equal(map[string]int{"upgraded-first": 1, "upgraded-long": 1, "upgraded-beside": 1, "upgraded-last": 1}))
		refuses(ctx, namespace)
	})

	It("an upgrade makes it two replicas on two nodes, of which one acts", func(ctx SpecContext) {
		release(ctx, "upgrade", chart, "--reset-values", "--set", "replicas=2", "--set", "podDisruptionBudget.enabled=true", "--set", "networkPolicy.enabled=true").succeeded()
		var list corev1.PodList
		Eventually(ctx, func(ctx context.Context) []corev1.Pod {
			Expect(k8s.List(ctx, &list, client.InNamespace(operatorNamespace))).To(Succeed())
			return list.Items
		}).Should(And(HaveLen(2), HaveEach(HaveField("Status.Conditions", ContainElement(And(
			HaveField("Type", corev1.PodReady), HaveField("Status", corev1.ConditionTrue)))))))
		Expect(list.Items[0].Spec.NodeName).NotTo(Equal(list.Items[1].Spec.NodeName))
		holder := func(ctx context.Context) string {
			lease := &coordinationv1.Lease{}
			Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: "jobflow-operator.api.practice.com"}, lease)).To(Succeed())
			if lease.Spec.HolderIdentity == nil {
				return ""
			}
			return *lease.Spec.HolderIdentity
		}
		Eventually(ctx, holder).Should(Or(HavePrefix(list.Items[0].Name+"_"), HavePrefix(list.Items[1].Name+"_")))
		saw("%s leads", holder(ctx))
		kubectl(ctx, "get", "poddisruptionbudget,networkpolicy", "--namespace", operatorNamespace).succeeded()
		runs(ctx, namespace, "two-replicas")
		refuses(ctx, namespace)
	})

	It("a certificate of one's own takes the place of the operator's, and a rollback brings that back", func(ctx SpecContext) {
		files := makeCertificate("jobflow-operator-webhook-service." + operatorNamespace + ".svc")
		kubectl(ctx, "create", "secret", "tls", "company", "--cert", files.crt, "--key", files.key, "--namespace", operatorNamespace).succeeded()
		values := []string{"--reset-values", "--set", "webhook.certificate.source=secret", "--set", "webhook.certificate.secretName=company", "--set-file", "webhook.certificate.caBundle=" + files.ca}
		release(ctx, "upgrade", chart, values...).succeeded()
		ca, err := os.ReadFile(files.ca)
		Expect(err).NotTo(HaveOccurred())
		Expect(caIn(ctx, configuration+"-secret")).To(Equal(string(ca)))
		gone := kubectl(ctx, "get", "--namespace", operatorNamespace, "validatingwebhookconfiguration/"+configuration, "secret/jobflow-operator-webhook-server-cert", "role/jobflow-operator-certificate-role", "clusterrole/jobflow-operator-certificate-role")
		Expect(strings.Count(gone.stderr, "NotFound")).To(Equal(4))
		awaitAdmission(ctx, namespace)
		refuses(ctx, namespace)
		runs(ctx, namespace, "own-certificate")

		// Revisions: 1 installed, 2 and 3 upgraded, 4 with the certificate.
		helm(ctx, "rollback", "jobflow-operator", "3", "--namespace", operatorNamespace, "--wait", "--timeout", "3m").succeeded()
		Eventually(ctx, announcedCA).ShouldNot(Or(BeEmpty(), Equal(string(ca))))
		awaitAdmission(ctx, namespace)
		refuses(ctx, namespace)
		kubectl(ctx, "delete", "secret", "company", "--namespace", operatorNamespace).succeeded()
	})

	It("the sample that was there all the time has succeeded", func(ctx SpecContext) {
		succeeds(ctx, namespace, "daemonjob/daemonjob-example")
	})

	It("helm uninstall leaves the CRDs with their objects, the namespace and a Lease, and nothing else", func(ctx SpecContext) {
		helm(ctx, "uninstall", "jobflow-operator", "--namespace", operatorNamespace, "--wait", "--timeout", "2m").succeeded()
		Eventually(ctx, since(before)).Should(ConsistOf(
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
		state := kubectl(ctx, "get", "jobflow/jobflow-same-node", "--namespace", namespace, "--output", "jsonpath={.status.state}").succeeded()
		Expect(state.stdout).To(Equal("Succeed"))
	})

	It("the same release takes the CRDs up again, and nothing is left once they and the namespace are deleted", func(ctx SpecContext) {
		release(ctx, "install", chart).succeeded()
		awaitAdmission(ctx, namespace)
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "jobflow-same-node"}, &v1alpha1.JobFlow{})).To(Succeed())
		helm(ctx, "uninstall", "jobflow-operator", "--namespace", operatorNamespace, "--wait", "--timeout", "2m").succeeded()
		kubectl(ctx, append([]string{"delete", "crd"}, crds...)...).succeeded()
		kubectl(ctx, "delete", "namespace", operatorNamespace).succeeded()
		Eventually(ctx, since(before)).Should(HaveEach(HavePrefix("namespaces /" + specPrefix)))
	})
})

const jobFlows = "jobflows.api.practice.com"

// earlier is the chart as it might have been before its CRD of JobFlows got columns.
func earlier(chart string) string {
	GinkgoHelper()
	directory := filepath.Join(GinkgoT().TempDir(), "jobflow-operator")
	Expect(os.CopyFS(directory, os.DirFS(chart))).To(Succeed())
	path := filepath.Join(directory, "files", "crds", "api.practice.com_jobflows.yaml")
	crd := readCRD(path)
	version := crd.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
	delete(version, "additionalPrinterColumns")
	content, err := yaml.Marshal(crd.Object)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	return directory
}

func readCRD(path string) *unstructured.Unstructured {
	GinkgoHelper()
	content, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	crd := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal(content, &crd.Object)).To(Succeed())
	return crd
}

// columnsOf are the names of the columns that kubectl shows of JobFlows.
func columnsOf(ctx context.Context) []string {
	GinkgoHelper()
	crd := &unstructured.Unstructured{}
	crd.SetAPIVersion("apiextensions.k8s.io/v1")
	crd.SetKind("CustomResourceDefinition")
	Expect(k8s.Get(ctx, client.ObjectKey{Name: jobFlows}, crd)).To(Succeed())
	return columns(crd)
}

func columnsOfFile() []string {
	GinkgoHelper()
	found := columns(readCRD(filepath.Join(root, "config", "crd", "bases", "api.practice.com_jobflows.yaml")))
	Expect(found).NotTo(BeEmpty())
	return found
}

func columns(crd *unstructured.Unstructured) []string {
	GinkgoHelper()
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	Expect(err).NotTo(HaveOccurred())
	var names []string
	all, _ := versions[0].(map[string]any)["additionalPrinterColumns"].([]any)
	for _, column := range all {
		names = append(names, column.(map[string]any)["name"].(string))
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
	found := kubectl(ctx, "get", "validatingwebhookconfiguration", configuration, "--output", `go-template={{range .webhooks}}{{.clientConfig.caBundle | base64decode}}{{break}}{{end}}`)
	if found.failed {
		return ""
	}
	return found.stdout
}

// operatorPods are the names of the operator's pods that are not on their way out.
func operatorPods(ctx context.Context) sets.Set[string] {
	GinkgoHelper()
	var pods corev1.PodList
	Expect(k8s.List(ctx, &pods, client.InNamespace(operatorNamespace))).To(Succeed())
	names := sets.New[string]()
	for i := range pods.Items {
		if pods.Items[i].DeletionTimestamp == nil {
			names.Insert(pods.Items[i].Name)
		}
	}
	return names
}
