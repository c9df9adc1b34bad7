package olm

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/manifests"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/record"
)

// released is the version that the upgrade begins with.
const released = "jobflow-operator.v0.1.0"

// flow runs throughout the upgrade, however long that takes: the spec releases the steps short
// and long and the DaemonJob. The step short ends during the upgrade.
var flow = strings.ReplaceAll(`
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata: {name: flow}
spec:
  flows:
    - {name: first, jobTemplate: {template: {spec: {containers: [&quick {name: main, image: "busybox:1.28", command: ["true"]}]}}}}
    - {name: short, dependencies: [first], jobTemplate: &held {template: {spec: {terminationGracePeriodSeconds: 1, containers: [
        {name: main, image: "busybox:1.28", command: [sh, -c, "HOLD"]}]}}}}
    - {name: long, dependencies: [first], jobTemplate: *held}
    - {name: after-short, dependencies: [short], jobTemplate: {template: {spec: {containers: [*quick]}}}}
    - {name: last, dependencies: [after-short, long], jobTemplate: {template: {spec: {containers: [*quick]}}}}
---
apiVersion: api.practice.com/v1alpha1
kind: DaemonJob
metadata: {name: everywhere}
spec:
  template: {spec: {terminationGracePeriodSeconds: 1, containers: [
    {name: main, image: "busybox:1.28", command: [sh, -c, "HOLD"]}]}}
`, "HOLD", flows.Hold)

var _ = Describe("The released version", func() {
	It("is upgraded to the current one while a JobFlow and a DaemonJob run, and no step is repeated or lost", func(ctx SpecContext) {
		DeferCleanup(showOnFailure, NodeTimeout(testkit.Hang))
		before := everything(ctx)
		cli.Kubectl(ctx, "create", "namespace", work).Succeeded()

		t := newTimeline("an upgrade from " + released + " to " + current)
		addCatalog(ctx, older, catalogReleased)
		subscribe(ctx, older, "Manual", "{}")
		t.note("installing from the catalog of the released versions, with manual approval")
		approve(ctx, expectPlan(ctx, released))
		expectInstalled(ctx, t, released)
		expectAdmission(ctx, released)

		addCatalog(ctx, older, catalogCurrent)
		t.note("the catalog is updated")
		plan := expectPlan(ctx, current)
		t.reaches(ctx, "RequiresApproval", plan, "{.status.phase}")
		t.reaches(ctx, "UpgradePending", subscription, "{.status.state}")
		generations := crdGenerations(ctx)

		seen := record.Start(k8s, work)
		cli.KubectlWith(ctx, flow, "apply", "--namespace", work, "--filename", "-").Succeeded()
		jobFlow, daemonJob := workload("JobFlow", "flow"), workload("DaemonJob", "everywhere")
		const steps, nodes = `{range .status.flows[*]}{.name}={.phase} {end}`, `{range .status.nodes[*]}{.phase} {end}`
		t.reaches(ctx, "first=Succeeded short=Running long=Running after-short=Waiting last=Waiting ", jobFlow, steps)
		t.reaches(ctx, "Running Running Running ", daemonJob, nodes)
		approve(ctx, plan)
		t.note("the upgrade is approved")
		k8s.Release(ctx, work, "flow-short")
		expectUpgraded(ctx, t, plan, current)
		after := field(ctx, jobFlow, steps)
		t.note("the flow is at %s", after)
		Expect(after).To(And(ContainSubstring("long=Running"), ContainSubstring("last=Waiting")), "the flow outlasts the upgrade")
		Expect(field(ctx, daemonJob, nodes)).To(Equal("Running Running Running "), "the DaemonJob outlasts the upgrade")
		awaitGone(ctx, csv(released))
		t.note("%s is gone", released)
		expectAdmission(ctx, current)
		t.note("admission answers")
		expectCRDs(ctx, generations)
		t.note("the CRDs are those of %s", current)

		By("letting them end")
		jobs := daemonJobs(ctx)
		Expect(jobs).To(HaveLen(3))
		k8s.Release(ctx, work, append(jobs, "flow-long")...)
		t.reaches(ctx, "Succeed", jobFlow, "{.status.state}")
		t.reaches(ctx, "Succeed", daemonJob, "{.status.state}")
		once := record.OnceEach(append(jobs, "flow-first", "flow-short", "flow-long", "flow-after-short", "flow-last")...)
		Expect(seen.Created()).To(Equal(once), "how often each Job was created")
		expectOrder(ctx)
		uninstall(ctx, t, older, before)
	}, SpecTimeout(10*time.Minute))
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

// expectCRDs shows that the CRDs in the cluster are those of the current bundle: what
// they say, and that OLM has noted whose they are. Where the two versions differ,
// the API server must have seen a change.
func expectCRDs(ctx context.Context, before map[string]int64) {
	GinkgoHelper()
	for _, name := range crds {
		stored := getCRD(ctx, name)
		in := func(bundle string) *apiextensionsv1.CustomResourceDefinition {
			crd := manifests.Load[apiextensionsv1.CustomResourceDefinition](GinkgoTB(), bundle+"/manifests/api.practice.com_"+name+".yaml")
			return &crd
		}
		wanted, old := in("bundle"), in("catalog/released/v0.1.0")
		Expect(stored.Annotations).To(ContainElement(namespace+"/"+current), "who installed CRD %s", name)
		Expect(schemaOf(stored)).To(MatchJSON(schemaOf(wanted)), "schema of CRD %s", name)
		if schemaOf(old) != schemaOf(wanted) {
			Expect(stored.Generation).To(BeNumerically(">", before[name]), "generation of CRD %s, which the version changed", name)
			testkit.Saw("CRD %s changed, from generation %d to %d", name, before[name], stored.Generation)
		}
	}
}

func schemaOf(crd *apiextensionsv1.CustomResourceDefinition) string {
	GinkgoHelper()
	content, err := json.Marshal(crd.Spec.Versions[0].Schema)
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}
