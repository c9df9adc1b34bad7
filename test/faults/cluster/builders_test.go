package cluster

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// work is a Job of one container that runs a script, between two lines of the ledger.
func work(script string) *batchv1.JobSpec {
	return flows.Shell(write(script))
}

// step takes some seconds and succeeds.
func step(name string, seconds int, after ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: after, JobTemplate: work(sleep(seconds))}
}

func sleep(seconds int) string { return fmt.Sprintf("sleep %d", seconds) }

// chain is steps of which each follows the one before.
func chain(length, seconds int) []v1alpha1.FlowStep {
	steps := []v1alpha1.FlowStep{step("s1", seconds)}
	for i := 2; i <= length; i++ {
		steps = append(steps, step(fmt.Sprintf("s%d", i), seconds, fmt.Sprintf("s%d", i-1)))
	}
	return steps
}

func namedFlow(name string, steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return flows.New("", name, steps...)
}

func namedDaemonJob(name, script string) *v1alpha1.DaemonJob {
	return &v1alpha1.DaemonJob{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.DaemonJobSpec{JobSpec: *work(script)}}
}

// retried lets the Jobs of a JobFlow try again.
func retried(flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	for i := range flow.Spec.Flows {
		flow.Spec.Flows[i].JobTemplate.BackoffLimit = ptr.To[int32](3)
	}
	return flow
}

// on lets all steps of a JobFlow run on one node.
func on(node string, flow *v1alpha1.JobFlow) *v1alpha1.JobFlow {
	flow.Spec.GlobalParams = &v1alpha1.GlobalParams{NodeName: node}
	return flow
}
