package olm

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
)

const (
	// namespace is where the operator is installed.
	namespace = "jobflow-operator-system"
	// work is where the flows are.
	work = "olm-work"

	subscription = "subscription.operators.coreos.com/jobflow-operator"

	// The catalogs of the specs. Each has one of its own: for some minutes OLM remembers
	// what another one of the same name held.
	fresh = "jobflow-operator"
	older = "jobflow-operator-older"
)

// field is what a JSONPath finds in an object, empty if there is no such object.
// It prints nothing: it is asked again and again.
func field(ctx context.Context, object, namespace, jsonPath string) string {
	out, err := exec.CommandContext(ctx, "kubectl", "get", object, "--namespace", namespace,
		"--ignore-not-found", "--output", "jsonpath="+jsonPath).Output()
	if err != nil {
		return "error: " + err.Error()
	}
	return string(out)
}

func source(catalog string) string { return "catalogsource.operators.coreos.com/" + catalog }

func csv(name string) string { return "clusterserviceversion.operators.coreos.com/" + name }

// addCatalog makes a catalog known to OLM, in the version of an image.
func addCatalog(ctx context.Context, catalog, image string) {
	GinkgoHelper()
	kubectlWith(ctx, fmt.Sprintf(`
apiVersion: operators.coreos.com/v1alpha1
kind: CatalogSource
metadata: {name: %s, namespace: olm}
spec:
  sourceType: grpc
  image: %s
  displayName: JobFlow Operator
  grpcPodConfig: {securityContextConfig: restricted}
`, catalog, image), "apply", "--filename", "-").succeeded()
}

// subscribe is what docs/install.md tells users to do.
func subscribe(ctx context.Context, catalog, approval, config string) {
	GinkgoHelper()
	kubectlWith(ctx, fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s}
---
apiVersion: operators.coreos.com/v1
kind: OperatorGroup
metadata: {name: jobflow-operator, namespace: %[1]s}
spec: {}
---
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: jobflow-operator, namespace: %[1]s}
spec:
  name: jobflow-operator
  channel: stable
  source: %[2]s
  sourceNamespace: olm
  installPlanApproval: %[3]s
  config: %[4]s
`, namespace, catalog, approval, config), "apply", "--filename", "-").succeeded()
}

// expectPlan waits for the InstallPlan of a version, and returns its name.
func expectPlan(ctx context.Context, version string) string {
	GinkgoHelper()
	plan := ""
	Eventually(ctx, func(ctx context.Context) string {
		plan = field(ctx, subscription, namespace, "{.status.installPlanRef.name}")
		if plan == "" {
			return ""
		}
		return field(ctx, "installplan.operators.coreos.com/"+plan, namespace, "{.spec.clusterServiceVersionNames[*]}")
	}).WithTimeout(2 * time.Minute).Should(Equal(version))
	return "installplan.operators.coreos.com/" + plan
}

func approve(ctx context.Context, plan string) {
	GinkgoHelper()
	kubectl(ctx, "patch", plan, "--namespace", namespace, "--type=merge", "--patch", `{"spec":{"approved":true}}`).succeeded()
}

// expectInstalled follows the installation of a version from the InstallPlan to the end.
func expectInstalled(ctx context.Context, t *timeline, version string) {
	GinkgoHelper()
	plan := expectPlan(ctx, version)
	t.note("%s for %s", plan, version)
	t.reaches(ctx, 2*time.Minute, "Complete", plan, namespace, "{.status.phase}")
	t.reaches(ctx, 2*time.Minute, "Succeeded", csv(version), namespace, "{.status.phase}")
	Expect(field(ctx, subscription, namespace, "{.status.installedCSV}")).To(Equal(version))
}

const cycle = `
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata: {name: cycle}
spec:
  flows:
    - {name: a, dependencies: [b], jobTemplate: &job {template: {spec: {containers: [{name: main, image: "busybox:1.28"}]}}}}
    - {name: b, dependencies: [a], jobTemplate: *job}
`

// expectAdmission shows that the webhooks answer, with the certificate that OLM made.
// It makes another one in an upgrade: the Secret goes with the CSV that was replaced.
func expectAdmission(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		ca := field(ctx, "secret/jobflow-operator-controller-manager-service-cert", namespace, `{.data.olmCAKey}`)
		g.Expect(ca).NotTo(BeEmpty())
		webhooks, err := exec.CommandContext(ctx, "kubectl", "get", "validatingwebhookconfigurations",
			"--selector", "olm.owner.namespace="+namespace, "--output", "jsonpath={.items[*].webhooks[*].clientConfig.caBundle}").Output()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(strings.Fields(string(webhooks))).To(And(HaveLen(3), HaveEach(ca)))
	}).Should(Succeed(), "the CA of the webhooks")
	kubectl(ctx, "rollout", "status", "deployment/jobflow-operator-controller-manager", "--namespace", namespace, "--timeout=1m").succeeded()
	refused := kubectlWith(ctx, cycle, "create", "--namespace", work, "--filename", "-")
	Expect(refused.failed).To(BeTrue(), "a cycle was taken")
	Expect(refused.stderr).To(ContainSubstring("a -> b -> a"))
}

// everything are all objects of the cluster that may be listed, but events.
func everything(ctx context.Context) []string {
	GinkgoHelper()
	list := func(arguments ...string) []string {
		out, err := exec.CommandContext(ctx, "kubectl", arguments...).Output()
		Expect(err).NotTo(HaveOccurred())
		return strings.Fields(string(out))
	}
	var resources []string
	for _, resource := range list("api-resources", "--verbs=list", "--output=name") {
		if !strings.HasPrefix(resource, "events") && !strings.HasPrefix(resource, "componentstatuses") {
			resources = append(resources, resource)
		}
	}
	return list("get", strings.Join(resources, ","), "--all-namespaces", "--ignore-not-found",
		"--output", `jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\n"}{end}`)
}

// uninstall does what docs/install.md says, and shows that nothing is left of what
// was not there before.
func uninstall(ctx context.Context, t *timeline, catalog string, before []string) {
	GinkgoHelper()
	kubectl(ctx, "delete", subscription, "--namespace", namespace).succeeded()
	kubectl(ctx, "delete", "clusterserviceversions.operators.coreos.com", "--namespace", namespace,
		"--selector", "operators.coreos.com/jobflow-operator."+namespace).succeeded()
	t.note("Subscription and CSV deleted")
	gone := func(what string, names types.GomegaMatcher) {
		Eventually(ctx, everything).WithTimeout(time.Minute).WithPolling(time.Second).ShouldNot(ContainElement(names), what)
		t.note("%s gone", what)
	}
	gone("the operator's pods, Deployment and Service", MatchRegexp("^(Deployment|Pod|Service|Secret)/"+namespace+"/"))
	gone("the webhooks", HavePrefix("ValidatingWebhookConfiguration/"))
	Expect(everything(ctx)).To(ContainElements(HavePrefix("CustomResourceDefinition//jobflows"), HavePrefix("JobFlow/"+work)),
		"OLM leaves CRDs and objects to the user")

	kubectl(ctx, "delete", "customresourcedefinitions", "jobflows.api.practice.com", "daemonjobs.api.practice.com",
		"jobtemplates.api.practice.com").succeeded()
	t.note("CRDs deleted")
	kubectl(ctx, "delete", "namespace", namespace).succeeded()
	kubectl(ctx, "delete", "clusterrole", "jobflow-operator-edit", "jobflow-operator-view", "jobflow-operator-metrics-reader").succeeded()
	kubectl(ctx, "delete", "rolebinding", "--namespace", "kube-system", "jobflow-operator-controller-manager-service-auth-reader").succeeded()
	kubectl(ctx, "delete", source(catalog), "--namespace", "olm").succeeded()
	Eventually(ctx, func(ctx context.Context) []string {
		// OLM makes it again as long as it sees something that belongs to it.
		kubectl(ctx, "delete", "operators.operators.coreos.com", "--ignore-not-found", "jobflow-operator."+namespace).succeeded()
		kubectl(ctx, "delete", "namespace", "--ignore-not-found", work).succeeded()
		return slices.DeleteFunc(everything(ctx), func(object string) bool { return slices.Contains(before, object) })
	}).WithTimeout(90*time.Second).WithPolling(2*time.Second).Should(BeEmpty(), "left behind")
	t.note("nothing is left")
}

// showOnFailure tells what is known when a spec fails.
func showOnFailure(ctx context.Context) {
	if !CurrentSpecReport().Failed() {
		return
	}
	for _, arguments := range []string{
		"get catalogsources,subscriptions,installplans,clusterserviceversions,operatorconditions --all-namespaces",
		"get pods,jobs --all-namespaces --output wide",
		"get " + subscription + " --namespace " + namespace + " --output jsonpath={.status.conditions}",
		"get installplans --namespace " + namespace + " --output jsonpath={.items[*].status}",
		"get clusterserviceversions --namespace " + namespace + " --output jsonpath={.items[*].status}",
		"get jobflows,daemonjobs --namespace " + work + " --output yaml",
		"logs --namespace " + namespace + " deployment/jobflow-operator-controller-manager --tail 40",
		"logs --namespace olm deployment/olm-operator --tail 30",
		"logs --namespace olm deployment/catalog-operator --tail 30",
		"get events --all-namespaces --sort-by .metadata.creationTimestamp",
	} {
		kubectl(ctx, strings.Fields(arguments)...)
	}
}
