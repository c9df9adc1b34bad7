package cluster

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// work is a Job of one container that runs a script, between two lines of the ledger.
func work(script string) *batchv1.JobSpec {
	spec := &batchv1.JobSpec{}
	// A shell ignores SIGTERM.
	spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](1)
	spec.Template.Spec.Containers = []corev1.Container{{
		Name:            "main",
		Image:           "busybox:1.28",
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         []string{"sh", "-c", write(script)},
	}}
	return spec
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
	return &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.JobFlowSpec{Flows: steps}}
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
