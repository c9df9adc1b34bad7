package olm

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cluster"
)

const (
	// namespace is where the operator is installed.
	namespace = "jobflow-operator-system"
	// work is where the flows are.
	work = "olm-work"

	// The catalogs of the specs. Each has one of its own: for some minutes OLM remembers
	// what another one of the same name held.
	fresh = "jobflow-operator"
	older = "jobflow-operator-older"
)

// addCatalog makes a catalog known to OLM, in the version of an image.
func addCatalog(ctx context.Context, catalog, image string) {
	GinkgoHelper()
	cli.KubectlWith(ctx, fmt.Sprintf(`
apiVersion: operators.coreos.com/v1alpha1
kind: CatalogSource
metadata: {name: %s, namespace: olm}
spec:
  sourceType: grpc
  image: %s
  displayName: JobFlow Operator
  grpcPodConfig: {securityContextConfig: restricted}
`, catalog, image), "apply", "--filename", "-").Succeeded()
}

// subscribe is what docs/install.md tells users to do.
func subscribe(ctx context.Context, catalog, approval, config string) {
	GinkgoHelper()
	cli.KubectlWith(ctx, fmt.Sprintf(`
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
`, namespace, catalog, approval, config), "apply", "--filename", "-").Succeeded()
}

// expectPlan waits until the Subscription has an InstallPlan for a version.
func expectPlan(ctx context.Context, version string) object {
	GinkgoHelper()
	return installPlan(await(ctx, subscription, "{.status.installPlanRef.name}", And(Not(BeEmpty()), WithTransform(func(plan string) string {
		return field(ctx, installPlan(plan), "{.spec.clusterServiceVersionNames[*]}")
	}, Equal(version)))))
}

func approve(ctx context.Context, plan object) {
	GinkgoHelper()
	patch(ctx, plan, `{"spec":{"approved":true}}`)
}

func patch(ctx context.Context, o object, content string) {
	GinkgoHelper()
	cli.Kubectl(ctx, "patch", o.String(), "--namespace", o.key.Namespace, "--type=merge", "--patch", content).Succeeded()
}

// expectInstalled follows the installation of a version from the InstallPlan to the end.
func expectInstalled(ctx context.Context, t *timeline, version string) {
	GinkgoHelper()
	plan := expectPlan(ctx, version)
	t.note("%s for %s", plan, version)
	expectUpgraded(ctx, t, plan, version)
	await(ctx, subscription, "{.status.installedCSV}", Equal(version))
}

// expectUpgraded waits until an InstallPlan has been carried out and its version works.
func expectUpgraded(ctx context.Context, t *timeline, plan object, version string) {
	GinkgoHelper()
	t.reaches(ctx, "Complete", plan, "{.status.phase}")
	t.reaches(ctx, "Succeeded", csv(version), "{.status.phase}")
}

// expectAdmission shows that the webhooks answer, with the certificate that OLM made.
//
// A CSV that replaces another is Succeeded twice. When OLM deletes the CSV that was replaced, the
// Secret goes with it. So OLM installs the new CSV once more: it makes another certificate,
// announces its CA and restarts the operator, and until that is over the API server may not
// trust the webhooks. The Secret's owner tells the two apart.
func expectAdmission(ctx context.Context, version string) {
	GinkgoHelper()
	var refusal error
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		var secret corev1.Secret
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "jobflow-operator-controller-manager-service-cert"}, &secret)).To(Succeed())
		g.Expect(secret.OwnerReferences).To(ConsistOf(HaveField("Name", version)), "the owner of the certificate")
		g.Expect(secret.Data["olmCAKey"]).NotTo(BeEmpty())
		var configurations admissionv1.ValidatingWebhookConfigurationList
		g.Expect(k8s.List(ctx, &configurations, client.MatchingLabels{"olm.owner.namespace": namespace})).To(Succeed())
		var announced [][]byte
		for i := range configurations.Items {
			for j := range configurations.Items[i].Webhooks {
				announced = append(announced, configurations.Items[i].Webhooks[j].ClientConfig.CABundle)
			}
		}
		g.Expect(announced).To(And(HaveLen(3), HaveEach(secret.Data["olmCAKey"])))
		g.Expect(field(ctx, csv(version), "{.status.phase}")).To(Equal("Succeeded"))
		refusal = k8s.Create(ctx, cluster.Cycle(work), client.DryRunAll)
		g.Expect(refusal).To(cluster.NameTheCycle)
	}).Should(Succeed(), "admission by the webhooks, with OLM's CA")
	testkit.Saw("admission refuses: %v", refusal)
}

// everything is every object in the cluster.
func everything(ctx context.Context) sets.Set[string] {
	GinkgoHelper()
	found, err := k8s.Inventory(ctx)
	Expect(err).NotTo(HaveOccurred())
	return found
}

// uninstall does what docs/install.md says, and shows that nothing is left of what
// was not there before.
func uninstall(ctx context.Context, t *timeline, catalog string, before sets.Set[string]) {
	GinkgoHelper()
	remove := func(arguments ...string) {
		GinkgoHelper()
		cli.Kubectl(ctx, append([]string{"delete"}, arguments...)...).Succeeded()
	}
	remove(subscription.String(), "--namespace", namespace)
	remove("clusterserviceversions.operators.coreos.com", "--namespace", namespace,
		"--selector", "operators.coreos.com/jobflow-operator."+namespace)
	t.note("Subscription and CSV deleted")
	gone := func(what string, names types.GomegaMatcher) {
		GinkgoHelper()
		Eventually(ctx, k8s.Inventory).WithPolling(time.Second).ShouldNot(HaveKey(names), what)
		t.note("%s gone", what)
	}
	gone("the operator's pods, Deployment and Service", MatchRegexp("^(deployments|pods|services|secrets) "+namespace+"/"))
	gone("the webhooks", HavePrefix("validatingwebhookconfigurations "))
	Expect(everything(ctx)).To(And(HaveKey("customresourcedefinitions /jobflows.api.practice.com"), HaveKey(HavePrefix("jobflows "+work+"/"))),
		"OLM leaves CRDs and objects to the user")

	remove("customresourcedefinitions", "jobflows.api.practice.com", "daemonjobs.api.practice.com", "jobtemplates.api.practice.com")
	t.note("CRDs deleted")
	remove("namespace", namespace)
	remove("clusterrole", "jobflow-operator-edit", "jobflow-operator-view", "jobflow-operator-metrics-reader")
	remove("rolebinding", "--namespace", "kube-system", "jobflow-operator-controller-manager-service-auth-reader")
	remove(source(catalog).String(), "--namespace", "olm")
	Eventually(ctx, func(ctx context.Context) (sets.Set[string], error) {
		// OLM makes it again as long as it sees something that belongs to it.
		remove("operators.operators.coreos.com", "--ignore-not-found", "jobflow-operator."+namespace)
		remove("namespace", "--ignore-not-found", work)
		now, err := k8s.Inventory(ctx)
		return now.Difference(before), err
	}).WithPolling(2*time.Second).Should(BeEmpty(), "left behind")
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
		"get " + subscription.String() + " --namespace " + namespace + " --output jsonpath={.status.conditions}",
		"get installplans --namespace " + namespace + " --output jsonpath={.items[*].status}",
		"get clusterserviceversions --namespace " + namespace + " --output jsonpath={.items[*].status}",
		"get jobflows,daemonjobs --namespace " + work + " --output yaml",
		"logs --namespace " + namespace + " deployment/jobflow-operator-controller-manager --tail 40",
		"logs --namespace olm deployment/olm-operator --tail 30",
		"logs --namespace olm deployment/catalog-operator --tail 30",
		"get events --all-namespaces --sort-by .metadata.creationTimestamp",
	} {
		cli.Kubectl(ctx, strings.Fields(arguments)...)
	}
}
