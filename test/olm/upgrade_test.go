package olm

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// released is the version that the upgrade begins with.
const released = "jobflow-operator.v0.1.0"

// The step long and the DaemonJob end when they are told to, so that the upgrade
// happens in their middle, however long it takes. The step short ends in it or before.
const flow = `
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata: {name: flow}
spec:
  flows:
    - {name: first, jobTemplate: {template: {spec: {containers: [&quick {name: main, image: "busybox:1.28", command: ["true"]}]}}}}
    - {name: short, dependencies: [first], jobTemplate: {template: {spec: {terminationGracePeriodSeconds: 1, containers: [{name: main, image: "busybox:1.28", command: [sleep, "12"]}]}}}}
    - {name: long, dependencies: [first], jobTemplate: {template: {spec: {terminationGracePeriodSeconds: 1, containers: [
        {name: main, image: "busybox:1.28", command: [sh, -c, "until [ -e /tmp/end ]; do sleep 0.2; done"]}]}}}}
    - {name: after-short, dependencies: [short], jobTemplate: {template: {spec: {containers: [*quick]}}}}
    - {name: last, dependencies: [after-short, long], jobTemplate: {template: {spec: {containers: [*quick]}}}}
---
apiVersion: api.practice.com/v1alpha1
kind: DaemonJob
metadata: {name: everywhere}
spec:
  template: {spec: {terminationGracePeriodSeconds: 1, containers: [
    {name: main, image: "busybox:1.28", command: [sh, -c, "until [ -e /tmp/end ]; do sleep 0.2; done"]}]}}
`

var _ = Describe("The released version", func() {
	It("is upgraded to the current one while a JobFlow and a DaemonJob run, and no step is repeated or lost", func(ctx SpecContext) {
		DeferCleanup(showOnFailure, NodeTimeout(time.Minute))
		before := everything(ctx)
		kubectl(ctx, "create", "namespace", work).succeeded()

		t := newTimeline("an upgrade from " + released + " to " + current)
		addCatalog(ctx, older, catalogReleased)
		subscribe(ctx, older, "Manual", "{}")
		t.note("installing from the catalog of the released versions, with manual approval")
		approve(ctx, expectPlan(ctx, released))
		expectInstalled(ctx, t, released)
		expectAdmission(ctx)

		addCatalog(ctx, older, catalogCurrent)
		t.note("the catalog is updated")
		plan := expectPlan(ctx, current)
		t.reaches(ctx, time.Minute, "RequiresApproval", plan, namespace, "{.status.phase}")
		t.reaches(ctx, time.Minute, "UpgradePending", subscription, namespace, "{.status.state}")
		generations := crdGenerations(ctx)

		seen := recordOfSpec(work)
		kubectlWith(ctx, flow, "apply", "--namespace", work, "--filename", "-").succeeded()
		running := func(ctx context.Context) string {
			return field(ctx, "jobflow.api.practice.com/flow", work, `{range .status.flows[*]}{.name}={.phase} {end}`)
		}
		nodes := func(ctx context.Context) string {
			return field(ctx, "daemonjob.api.practice.com/everywhere", work, `{range .status.nodes[*]}{.phase} {end}`)
		}
		midRun := "first=Succeeded short=Running long=Running after-short=Waiting last=Waiting "
		Eventually(ctx, running).Should(Equal(midRun))
		Eventually(ctx, nodes).Should(Equal("Running Running Running "))
		approve(ctx, plan)
		t.note("the upgrade is approved, with the flow at %s", midRun)
		t.reaches(ctx, 2*time.Minute, "Complete", plan, namespace, "{.status.phase}")
		t.reaches(ctx, 2*time.Minute, "Succeeded", csv(current), namespace, "{.status.phase}")
		t.note("the flow is at %s", running(ctx))
		Expect(running(ctx)).To(And(ContainSubstring("long=Running"), ContainSubstring("last=Waiting")), "the flow outlasts the upgrade")
		Expect(nodes(ctx)).To(Equal("Running Running Running "), "the DaemonJob outlasts the upgrade")
		Eventually(ctx, field).WithArguments(csv(released), namespace, "{.metadata.name}").Should(BeEmpty())
		t.note("%s is gone", released)
		expectAdmission(ctx)
		t.note("admission answers")
		expectCRDs(ctx, generations)
		t.note("the CRDs are those of %s", current)

		By("letting them end")
		for _, job := range append(daemonJobs(ctx), "flow-long") {
			pod := strings.TrimSpace(kubectl(ctx, "get", "pods", "--namespace", work, "--selector", "batch.kubernetes.io/job-name="+job,
				"--output", "jsonpath={.items[*].metadata.name}").succeeded().stdout)
			kubectl(ctx, "exec", "--namespace", work, pod, "--", "touch", "/tmp/end").succeeded()
		}
		t.reaches(ctx, 2*time.Minute, "Succeed", "jobflow.api.practice.com/flow", work, "{.status.state}")
		t.reaches(ctx, 2*time.Minute, "Succeed", "daemonjob.api.practice.com/everywhere", work, "{.status.state}")
		once := map[string]int{}
		for _, job := range []string{"flow-first", "flow-short", "flow-long", "flow-after-short", "flow-last"} {
			once[job] = 1
		}
		for _, job := range daemonJobs(ctx) {
			once[job] = 1
		}
		Expect(once).To(HaveLen(8), "five steps and three nodes")
		Expect(seen.created()).To(Equal(once), "how often each Job was created")
		expectOrder(ctx)
		uninstall(ctx, t, older, before)
	}, SpecTimeout(8*time.Minute))
})

func daemonJobs(ctx context.Context) []string {
	GinkgoHelper()
	object := &v1alpha1.DaemonJob{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: work, Name: "everywhere"}, object)).To(Succeed())
	var jobs []string
	for i := range object.Status.Nodes {
		jobs = append(jobs, object.Status.Nodes[i].JobName)
	}
	return jobs
}

// expectOrder shows that no step began before those that it depends on had ended.
func expectOrder(ctx context.Context) {
	GinkgoHelper()
	object := &v1alpha1.JobFlow{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: work, Name: "flow"}, object)).To(Succeed())
	steps := map[string]v1alpha1.RunStatus{}
	for i := range object.Status.Flows {
		steps[object.Status.Flows[i].Name] = object.Status.Flows[i]
	}
	for i := range object.Spec.Flows {
		step := &object.Spec.Flows[i]
		for _, dependency := range step.Dependencies {
			Expect(steps[step.Name].StartTime.Time).To(BeTemporally(">=", steps[dependency].CompletionTime.Time),
				"%s after %s", step.Name, dependency)
		}
	}
}

var crds = []string{"daemonjobs", "jobflows", "jobtemplates"}

func getCRD(ctx context.Context, name string) *apiextensionsv1.CustomResourceDefinition {
	GinkgoHelper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	Expect(k8s.Get(ctx, client.ObjectKey{Name: name + ".api.practice.com"}, crd)).To(Succeed())
	return crd
}

func crdGenerations(ctx context.Context) map[string]int64 {
	GinkgoHelper()
	generations := map[string]int64{}
	for _, name := range crds {
		generations[name] = getCRD(ctx, name).Generation
	}
	return generations
}

func crdOf(bundle, name string) *apiextensionsv1.CustomResourceDefinition {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join("..", "..", bundle, "manifests", "api.practice.com_"+name+".yaml"))
	Expect(err).NotTo(HaveOccurred())
	crd := &apiextensionsv1.CustomResourceDefinition{}
	Expect(yaml.Unmarshal(content, crd)).To(Succeed())
	return crd
}

// expectCRDs shows that the CRDs in the cluster are those of the current bundle: what
// they say, and that OLM has noted whose they are. Where the two versions differ,
// the API server must have seen a change.
func expectCRDs(ctx context.Context, before map[string]int64) {
	GinkgoHelper()
	for _, name := range crds {
		stored, wanted, old := getCRD(ctx, name), crdOf("bundle", name), crdOf("catalog/released/v0.1.0", name)
		Expect(stored.Annotations).To(ContainElement(namespace+"/"+current), "who installed CRD %s", name)
		Expect(schemaOf(stored)).To(MatchJSON(schemaOf(wanted)), "schema of CRD %s", name)
		if schemaOf(old) != schemaOf(wanted) {
			Expect(stored.Generation).To(BeNumerically(">", before[name]), "generation of CRD %s, which the version changed", name)
			saw("CRD %s changed, from generation %d to %d", name, before[name], stored.Generation)
		}
	}
}

func schemaOf(crd *apiextensionsv1.CustomResourceDefinition) string {
	GinkgoHelper()
	content, err := json.Marshal(crd.Spec.Versions[0].Schema)
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}
