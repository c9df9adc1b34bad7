package webhooks_test

import (
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const pod = `{template: {spec: {containers: [{name: main, image: "busybox:1.28"}]}}}`

const validFlow = `
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata: {name: flow}
spec:
  globalParams: {nodeName: minikube, env: [{name: FOO, value: bar}], labels: {key1: value1}}
  shareVolumes: [{name: data, emptyDir: {}}]
  flows:
    - {name: a, dependencies: [], jobTemplate: ` + pod + `}
    - {name: b, dependencies: [a], jobTemplateRef: shared, shareVolumeMounts: [{name: data, mountPath: /data}]}
`

const validDaemonJob = `
apiVersion: api.practice.com/v1alpha1
kind: DaemonJob
metadata: {name: daemon}
spec:
  globalParams: {env: [{name: FOO, value: bar}]}
  excludeNodeList: node1, node2
  template: {spec: {containers: [{name: main, image: "busybox:1.28"}]}}
`

const validTemplate = `
apiVersion: api.practice.com/v1alpha1
kind: JobTemplate
metadata: {name: shared}
spec:
  jobTemplate: ` + pod + `
`

// causes are the fields and messages of a refusal.
func causes(err error) []string {
	GinkgoHelper()
	Expect(apierrors.IsInvalid(err)).To(BeTrue(), "got %v", err)
	status, _ := err.(apierrors.APIStatus)
	var list []string
	for _, cause := range status.Status().Details.Causes {
		list = append(list, cause.Field+": "+cause.Message)
	}
	return list
}

var _ = Describe("Admission", func() {
	var namespace string
	BeforeEach(func() {
		namespace = newNamespace()
		warnings.take()
	})
	create := func(text string) error { return k8s.Create(ctx, object(namespace, text)) }

	It("accepts valid objects without a warning", func() {
		Expect(create(validFlow)).To(Succeed())
		Expect(create(validDaemonJob)).To(Succeed())
		Expect(create(validTemplate)).To(Succeed())
		Expect(warnings.take()).To(BeEmpty())
	})

	It("lists everything that is wrong with a JobFlow", func() {
		Expect(causes(create(`
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata: {name: flow}
spec:
  globalParams: {labels: {api.practice.com/flow: x}}
  flows:
    - {name: build, dependencies: [deploy], jobTemplate: ` + pod + `}
    - {name: test, dependencies: [biuld], jobTemplate: ` + pod + `}
    - {name: deploy, dependencies: [build], jobTemplateRef: t, shareVolumeMounts: [{name: data, mountPath: /data}]}
`))).To(ConsistOf(
			ContainSubstring(`spec.flows[1].dependencies[0]: Invalid value: "biuld": no step has this name; did you mean "build"?`),
			ContainSubstring(`spec.flows[0].dependencies[0]: Invalid value: "deploy": is part of a cycle, in which each step depends on the next: build -> deploy -> build`),
			ContainSubstring(`spec.flows[2].shareVolumeMounts[0].name: Invalid value: "data": no volume of this name`),
			ContainSubstring(`spec.globalParams.labels[api.practice.com/flow]: Forbidden`),
		))
	})

	It("lists everything that is wrong with a DaemonJob and a JobTemplate", func() {
		Expect(causes(create(`
apiVersion: api.practice.com/v1alpha1
kind: DaemonJob
metadata: {name: daemon}
spec: {excludeNodeList: "node1 node2", parallelism: -1, template: {spec: {containers: []}}}
`))).To(ConsistOf(
			ContainSubstring(`spec.excludeNodeList: Invalid value: "node1 node2"`),
			ContainSubstring(`spec.parallelism: Invalid value: -1`),
			ContainSubstring(`spec.template.spec.containers: Required value`),
		))
		Expect(causes(create(`
apiVersion: api.practice.com/v1alpha1
kind: JobTemplate
metadata: {name: shared}
spec: {jobTemplate: {completionMode: Indexed, template: {spec: {containers: [{name: Main, image: i}]}}}}
`))).To(ConsistOf(
			ContainSubstring(`spec.jobTemplate.completions: Required value`),
			ContainSubstring(`spec.jobTemplate.template.spec.containers[0].name: Invalid value: "Main"`),
		))
	})

	It("warns that restartPolicy has no effect", func() {
		Expect(create(`
apiVersion: api.practice.com/v1alpha1
kind: DaemonJob
metadata: {name: daemon}
spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: main, image: i}]}}}
`)).To(Succeed())
		Expect(warnings.take()).To(ConsistOf(
			`spec.template.spec.restartPolicy: "OnFailure" has no effect: the operator always sets restartPolicy Never`))
	})

	DescribeTable("reports a typo in a pod template", func(text, path string) {
		err := create(text)
		Expect(apierrors.IsBadRequest(err)).To(BeTrue(), "got %v", err)
		Expect(err).To(MatchError(ContainSubstring(`unknown field "` + path + `"`)))
	},
		Entry("of a JobFlow", `
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata: {name: flow}
spec: {flows: [{name: a, jobTemplate: {template: {spec: {containers: [{name: main, image: i, imagePullPolcy: Always}]}}}}]}
`, "spec.flows[0].jobTemplate.template.spec.containers[0].imagePullPolcy"),
		Entry("of a DaemonJob", `
apiVersion: api.practice.com/v1alpha1
kind: DaemonJob
metadata: {name: daemon}
spec: {template: {spec: {containers: [{name: main, image: i, imagePullPolcy: Always}]}}}
`, "spec.template.spec.containers[0].imagePullPolcy"),
		Entry("of a JobTemplate", `
apiVersion: api.practice.com/v1alpha1
kind: JobTemplate
metadata: {name: shared}
spec: {jobTemplate: {template: {spec: {containers: [{name: main, image: i, imagePullPolcy: Always}]}}}}
`, "spec.jobTemplate.template.spec.containers[0].imagePullPolcy"),
	)

	DescribeTable("refuses by schema", func(flows, field, message string) {
		Expect(causes(create(`
apiVersion: api.practice.com/v1alpha1
kind: JobFlow
metadata: {name: flow}
spec: {flows: ` + flows + `}
`))).To(ContainElement(And(HavePrefix(field), ContainSubstring(message))))
	},
		Entry("no steps", `[]`, "spec.flows", "should have at least 1 items"),
		Entry("two steps of one name", `[{name: a, jobTemplateRef: t}, {name: a, jobTemplateRef: t}]`, "spec.flows[1]", "Duplicate value"),
		Entry("a dependency twice", `[{name: a, jobTemplateRef: t}, {name: b, dependencies: [a, a], jobTemplateRef: t}]`, "spec.flows[1].dependencies[1]", "Duplicate value"),
		Entry("a malformed name", `[{name: A_b, jobTemplateRef: t}]`, "spec.flows[0].name", "should match"),
		Entry("neither template nor reference", `[{name: a}]`, "spec.flows[0]", "exactly one of jobTemplate and jobTemplateRef"),
		Entry("both", `[{name: a, jobTemplateRef: t, jobTemplate: `+pod+`}]`, "spec.flows[0]", "exactly one of jobTemplate and jobTemplateRef"),
	)

	Describe("of an update", func() {
		// edit changes one field of a stored object.
		edit := func(text string, value any, fields ...string) error {
			GinkgoHelper()
			obj := object(namespace, text)
			Expect(k8s.Create(ctx, obj)).To(Succeed())
			change := map[string]any{}
			Expect(unstructured.SetNestedField(change, value, fields...)).To(Succeed())
			data, err := json.Marshal(change)
			Expect(err).NotTo(HaveOccurred())
			return k8s.Patch(ctx, obj, client.RawPatch(types.MergePatchType, data))
		}
		DescribeTable("refuses a change of an immutable field", func(text string, value any, fields ...string) {
			Expect(causes(edit(text, value, fields...))).To(ContainElement(ContainSubstring("immutable")))
		},
			Entry("flows", validFlow, []any{map[string]any{"name": "c", "jobTemplateRef": "t"}}, "spec", "flows"),
			Entry("globalParams", validFlow, "other", "spec", "globalParams", "nodeName"),
			Entry("globalParams removed", validFlow, nil, "spec", "globalParams"),
			Entry("shareVolumes", validFlow, []any{map[string]any{"name": "data"}, map[string]any{"name": "more"}}, "spec", "shareVolumes"),
			Entry("a DaemonJob's template", validDaemonJob, "other", "spec", "template", "spec", "schedulerName"),
			Entry("a DaemonJob's globalParams", validDaemonJob, nil, "spec", "globalParams"),
			Entry("excludeNodeList", validDaemonJob, "node1", "spec", "excludeNodeList"),
			Entry("excludeNodeList removed", validDaemonJob, nil, "spec", "excludeNodeList"),
			Entry("a DaemonJob's completions", validDaemonJob, int64(2), "spec", "completions"),
			Entry("a DaemonJob's scheduling", validDaemonJob, map[string]any{}, "spec", "scheduling"),
		)
		It("refuses a change of flows in an update that also sets status, which only the status subresource can change", func() {
			flow := object(namespace, validFlow)
			Expect(k8s.Create(ctx, flow)).To(Succeed())
			status := map[string]any{"status": map[string]any{"state": "Running", "waiting": int64(1)}}
			data, err := json.Marshal(status)
			Expect(err).NotTo(HaveOccurred())
			Expect(k8s.Status().Patch(ctx, flow, client.RawPatch(types.MergePatchType, data))).To(Succeed())
			Expect(unstructured.SetNestedField(flow.Object, int64(2), "status", "waiting")).To(Succeed())
			Expect(unstructured.SetNestedSlice(flow.Object, []any{map[string]any{"name": "c", "jobTemplateRef": "t"}}, "spec", "flows")).To(Succeed())
			Expect(causes(k8s.Update(ctx, flow))).To(ConsistOf(ContainSubstring("spec.flows: Invalid value")))
			// Conversely, a write of the status subresource changes only the status.
			Expect(k8s.Status().Update(ctx, flow)).To(Succeed())
			steps, _, err := unstructured.NestedSlice(flow.Object, "spec", "flows")
			Expect(err).NotTo(HaveOccurred())
			Expect(steps).To(HaveLen(2))
		})
		DescribeTable("accepts a change of a mutable field", func(text string, value any, fields ...string) {
			Expect(edit(text, value, fields...)).To(Succeed())
		},
			Entry("suspend", validFlow, true, "spec", "suspend"),
			Entry("parallelism", validFlow, int64(2), "spec", "parallelism"),
			Entry("deadline", validFlow, int64(60), "spec", "activeDeadlineSeconds"),
			Entry("TTL", validFlow, int64(60), "spec", "ttlSecondsAfterFinished"),
			Entry("a DaemonJob's suspend", validDaemonJob, true, "spec", "suspend"),
			Entry("a DaemonJob's parallelism", validDaemonJob, int64(2), "spec", "parallelism"),
			Entry("a DaemonJob's deadline", validDaemonJob, int64(60), "spec", "activeDeadlineSeconds"),
			Entry("a DaemonJob's TTL", validDaemonJob, int64(60), "spec", "ttlSecondsAfterFinished"),
			Entry("a DaemonJob's backoffLimit", validDaemonJob, int64(3), "spec", "backoffLimit"),
			Entry("a JobTemplate", validTemplate, int64(3), "spec", "jobTemplate", "backoffLimit"),
		)
		It("refuses a change that breaks a rule", func() {
			Expect(causes(edit(validTemplate, int64(-1), "spec", "jobTemplate", "backoffLimit"))).To(ConsistOf(
				ContainSubstring("spec.jobTemplate.backoffLimit: Invalid value: -1")))
		})
	})
})
