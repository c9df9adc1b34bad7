package misuse

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// row is one kind, or a part of one, whose properties are misused.
type row struct {
	name     string
	resource string
	// base is the object to start from. It is right, and has most of what may be set.
	base string
	// beside are objects that are there before it.
	beside []string
	// user is what makes Jobs of the object, if it does not make any itself.
	user string
	// walk is where the properties begin, and except where they end.
	walk   string
	except []string
	// native is where the spec of a native Job lies in the object; empty if the
	// properties of the row are not those of a Job.
	native string
	// kubernetes are the paths below which properties are Kubernetes' own: there are
	// hundreds of them, of which some are tried.
	kubernetes []string
	// deadline is the property that has the operator end Jobs, which is for good.
	deadline string
	// later are the properties, or single values of one, that do not show while Jobs run
	// though they are taken, each with the reason; see trial.listed.
	later map[string]string
	// stricter are those that our webhook refuses though a native Job may have them.
	stricter map[string]string
}

const (
	podTemplate = `
        spec:
          containers:
          - {name: main, image: "busybox:1.28", command: ["true"], env: [{name: OWN, value: own}]}
`
	// wholeJob are the fields of a Job spec that uses all that batch/v1 has to offer, so
	// that each of them is tried among those that it needs.
	wholeJob = `completionMode: Indexed, completions: 3, parallelism: 2, backoffLimitPerIndex: 1, maxFailedIndexes: 1,
    activeDeadlineSeconds: 3600, ttlSecondsAfterFinished: 600, podReplacementPolicy: Failed,
    podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {containerName: main, operator: In, values: [3, 4]}}]},
    successPolicy: {rules: [{succeededIndexes: "0-1", succeededCount: 1}]},
    template: {metadata: {labels: {team: a}, annotations: {note: b}}, spec: {
      initContainers: [{name: init, image: "busybox:1.28"}],
      containers: [{name: main, image: "busybox:1.28", command: ["true"], env: [{name: OWN, value: own}], volumeMounts: [{name: own, mountPath: /own}]}],
      volumes: [{name: own, emptyDir: {}}]}}`
	nodeExcluded = "n9"
	noSuchNode   = "there is no node of the name, nor was there one before"
)

var rows = []row{
	{
		name:     "JobFlow",
		resource: "jobflows",
		base: `
kind: JobFlow
spec:
  globalParams:
    nodeName: n0
    env: [{name: SHARED, value: global}]
    labels: {team: a}
    annotations: {note: b}
  shareVolumes: [{name: shared, emptyDir: {}}]
  flows:
  - name: one
    shareVolumeMounts: [{name: shared, mountPath: /shared}]
    jobTemplate:
      template:` + podTemplate + `
  - name: two
    jobTemplateRef: reusable
  - name: three
    jobTemplateRef: reusable
`,
		beside:     []string{reusable},
		walk:       "spec",
		except:     []string{"spec.flows[0].jobTemplate"},
		deadline:   "spec.activeDeadlineSeconds",
		kubernetes: []string{"spec.shareVolumes[0]", "spec.flows[0].shareVolumeMounts[0]", "spec.globalParams.env[0].valueFrom"},
		later: map[string]string{
			"spec.parallelism=3":                      "there are not more steps",
			"spec.parallelism=the largest of 32 bits": "there are not more steps",
			"spec.parallelism=1, changed":             "not before the Jobs that run have ended",
			"spec.activeDeadlineSeconds":              "not before it has passed",
			"spec.ttlSecondsAfterFinished":            "not before the flow has ended",
			"spec.startOn":                            "not before pods have ended",
			"spec.suspend=false":                      "as if it were left out",
			// Of any Job.
			"spec.flows[0].shareVolumeMounts[0].bindMountOptions":    "Kubernetes drops it where its feature gate is off",
			"spec.flows[0].shareVolumeMounts[0].bindMountOptions[0]": "Kubernetes drops it where its feature gate is off",
		},
	},
	{
		name:     "JobFlow.jobTemplate",
		resource: "jobflows",
		base: `
kind: JobFlow
spec:
  flows:
  - name: one
    jobTemplate: {` + wholeJob + `}
`,
		walk:       "spec.flows[0].jobTemplate",
		native:     "spec.flows[0].jobTemplate",
		stricter:   reserved("spec.flows[0].jobTemplate"),
		kubernetes: []string{"spec.flows[0].jobTemplate.template.spec"},
	},
	{
		name:     "JobTemplate",
		resource: "jobtemplates",
		base: `
kind: JobTemplate
metadata: {name: reusable}
spec: {jobTemplate: {` + wholeJob + `}}
`,
		user: `
kind: JobFlow
spec:
  flows:
  - name: one
    jobTemplateRef: reusable
`,
		walk:       "spec",
		native:     "spec.jobTemplate",
		stricter:   reserved("spec.jobTemplate"),
		kubernetes: []string{"spec.jobTemplate.template.spec"},
	},
	{
		name:     "DaemonJob",
		resource: "daemonjobs",
		base: `
kind: DaemonJob
spec:
  globalParams:
    env: [{name: SHARED, value: global}]
    labels: {team: a}
    annotations: {note: b}
  excludeNodeList: ` + nodeExcluded + `
  template:` + podTemplate,
		walk:       "spec",
		kubernetes: []string{"spec.globalParams.env[0].valueFrom"},
		later: map[string]string{
			"spec.excludeNodeList=left out": noSuchNode,
			"spec.excludeNodeList=null":     noSuchNode,
			"spec.excludeNodeList=''":       noSuchNode,
			"spec.excludeNodeList='0'":      noSuchNode,
			"spec.excludeNodeList='misuse'": noSuchNode,
			"spec.excludeNodeList='two'":    noSuchNode,
		},
	},
	{
		name:     "DaemonJob.spec",
		resource: "daemonjobs",
		base: `
kind: DaemonJob
spec: {excludeNodeList: n1, ` + wholeJob + `}
`,
		walk:       "spec",
		native:     "spec",
		stricter:   reserved("spec"),
		kubernetes: []string{"spec.template.spec"},
	},
}

// reserved are the keys of a pod template that are the operator's own.
func reserved(job string) map[string]string {
	keys := map[string]string{}
	for _, kind := range []string{"labels", "annotations"} {
		keys[job+".template.metadata."+kind+"=the key 'api.practice.com/kind'"] = "the operator's own"
	}
	return keys
}

const reusable = `
kind: JobTemplate
metadata: {name: reusable}
spec:
  jobTemplate:
    template:` + podTemplate

// object reads one of the objects above.
func object(text string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		panic(err) // it is a constant
	}
	o.SetAPIVersion(v1alpha1.GroupVersion.String())
	if o.GetName() == "" {
		o.SetName("misused")
	}
	return o
}

// properties are those of the row that are ours, and those that are Kubernetes' own.
func (r *row) properties(t *testing.T) (ours, kubernetes []*property) {
	t.Helper()
	spec := specOf(t, r.resource)
	for _, p := range walk(&property{path: []string{"spec"}, schemas: []*schema{spec}, required: true}) {
		inside := p.String() == r.walk || p.below(r.walk)
		if !inside || slices.Contains(r.except, p.String()) || p.below(r.except...) || r.inOtherRow(p) {
			continue
		}
		if p.below(r.kubernetes...) && !strings.HasSuffix(p.String(), "[0].name") {
			kubernetes = append(kubernetes, p)
		} else {
			ours = append(ours, p)
		}
	}
	if len(ours) == 0 {
		t.Fatalf("%s has no property at %s", r.name, r.walk)
	}
	return ours, kubernetes
}

// inOtherRow reports whether another row tries a property of a DaemonJob. One row tries the
// properties of the Job spec that is inlined in it, and one the others.
func (r *row) inOtherRow(p *property) bool {
	return r.resource == "daemonjobs" && len(p.path) > 1 && jobFields[p.path[1]] != (r.native != "")
}

// jobFields has the JSON names of the fields of a Job spec.
var jobFields = func() map[string]bool {
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[batchv1.JobSpec]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}()
