package cluster

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// trial is one fault, and the workloads that it finds under way.
type trial struct {
	namespace string
	ledger    ledger
	record    *historian
	workloads []workload
	// podsDie says that the fault ends pods of the workloads, too.
	podsDie bool
	part    *report.Part
}

// newTrial makes the workloads in a namespace of their own and waits until they are
// under way.
func newTrial(ctx context.Context, part *report.Part, workloads []workload) *trial {
	GinkgoHelper()
	namespace := k8s.NewNamespace(ctx, "faults-")
	t := &trial{namespace: namespace, ledger: newLedger(), record: recordTrial(namespace), workloads: workloads, part: part}
	for i := range workloads {
		for _, object := range append(workloads[i].with, workloads[i].parent) {
			object.SetNamespace(namespace)
			t.openLedger(object, workloads[i].parent.GetName())
			Expect(k8s.Create(ctx, object)).To(Succeed())
		}
	}
	Eventually(t.notUnderWay).WithTimeout(awaited).Should(BeEmpty(), "workloads that are not under way")
	return t
}

func (t *trial) openLedger(object client.Object, parent string) {
	const step = "metadata.labels['" + v1alpha1.FlowLabel + "']"
	switch object := object.(type) {
	case *v1alpha1.JobFlow:
		for i := range object.Spec.Flows {
			if template := object.Spec.Flows[i].JobTemplate; template != nil {
				openLedger(&template.Template.Spec, t.ledger.dir, parent, step)
			}
		}
	case *v1alpha1.JobTemplate:
		openLedger(&object.Spec.JobTemplate.Template.Spec, t.ledger.dir, parent, step)
	case *v1alpha1.DaemonJob:
		openLedger(&object.Spec.Template.Spec, t.ledger.dir, parent, "spec.nodeName")
	}
}

// notUnderWay are the workloads of which too little has happened yet: a JobFlow has to
// be past its first step, or in it, a DaemonJob has to run on every node.
func (t *trial) notUnderWay() []string {
	GinkgoHelper()
	begun := map[string]int{}
	for _, line := range t.ledger.lines() {
		if !line.ended {
			begun[line.parent]++
		}
	}
	var missing []string
	for i := range t.workloads {
		parent, need := t.workloads[i].parent, 2
		if _, ok := parent.(*v1alpha1.DaemonJob); ok {
			need = len(nodes)
		} else if t.workloads[i].soon {
			need = 1
		}
		if begun[parent.GetName()] < need {
			missing = append(missing, parent.GetName())
		}
	}
	return missing
}

// awaitEnds waits until all workloads have ended, however.
func (t *trial) awaitEnds(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]string, error) {
		var running []string
		for i := range t.workloads {
			parent := t.workloads[i].parent
			if err := k8s.Get(ctx, client.ObjectKeyFromObject(parent), parent); err != nil {
				return nil, err
			}
			if s := flows.Summary(parent); s.CompletionTime == nil {
				running = append(running, fmt.Sprintf("%s: %s: %s", parent.GetName(), s.State, s.Message))
			}
		}
		return running, nil
	}).WithTimeout(awaited).Should(BeEmpty(), "workloads that do not end")
}

// reportSize says what the fault found under way.
func (t *trial) reportSize() {
	var runs int
	for i := range t.workloads {
		runs += len(flows.Runs(t.workloads[i].parent))
	}
	t.part.Add("under way", fmt.Sprintf("%d JobFlows and DaemonJobs of %d steps and nodes", len(t.workloads), runs))
}

// checkInvariants finds what is broken, and lets the spec fail for it.
func (t *trial) checkInvariants() {
	GinkgoHelper()
	for i := range t.workloads {
		w := &t.workloads[i]
		for _, invariant := range invariants {
			t.part.Checks++
			for _, violation := range invariant.violations(t, w) {
				t.part.Violations = append(t.part.Violations, fmt.Sprintf("%s: %s: %s", w.parent.GetName(), invariant.name, violation))
			}
		}
	}
	Expect(t.part.Violations).To(BeEmpty())
}

// checkNothingStays deletes the workloads, and waits until their Jobs and pods are gone.
func (t *trial) checkNothingStays(ctx context.Context) {
	GinkgoHelper()
	for i := range t.workloads {
		Expect(k8s.Delete(ctx, t.workloads[i].parent)).To(Succeed())
	}
	Eventually(ctx, func(ctx context.Context) (int, error) {
		left := 0
		for _, list := range []client.ObjectList{&v1alpha1.JobFlowList{}, &v1alpha1.DaemonJobList{}, &batchv1.JobList{}, &corev1.PodList{}} {
			if err := k8s.List(ctx, list, client.InNamespace(t.namespace)); err != nil {
				return 0, err
			}
			left += meta.LenList(list)
		}
		return left, nil
	}).WithTimeout(awaited).Should(BeZero(), "objects that stay behind")
	t.part.Checks++
}
