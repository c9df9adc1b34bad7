// Package flows builds JobFlows that run shell scripts, and reads the status of JobFlows
// and DaemonJobs.
package flows

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// New is a JobFlow of steps.
func New(namespace, name string, steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return build.Flow(namespace, name, steps...)
}

// Step runs a script after other steps.
func Step(name, script string, after ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: after, JobTemplate: Shell(script)}
}

// Shell is a Job of one container that runs a script.
func Shell(script string) *batchv1.JobSpec {
	spec := build.JobSpec()
	// A shell ignores SIGTERM: without this its pod would take half a minute to end.
	spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](1)
	spec.Template.Spec.Containers[0] = Container(script)
	return spec
}

// Hold is a script that ends when the spec says so, with Cluster.Release: what has to happen
// while it runs happens while it runs, however long that takes.
const Hold = "until [ -e /tmp/end ]; do sleep 0.2; done"

// Container runs a script.
func Container(script string) corev1.Container {
	container := build.JobSpec().Template.Spec.Containers[0]
	container.ImagePullPolicy, container.Command = corev1.PullIfNotPresent, []string{"sh", "-c", script}
	return container
}

// Summary is the part of the status that JobFlows and DaemonJobs have in common.
func Summary(object client.Object) *v1alpha1.Summary {
	switch object := object.(type) {
	case *v1alpha1.JobFlow:
		return &object.Status.Summary
	case *v1alpha1.DaemonJob:
		return &object.Status.Summary
	}
	panic(fmt.Sprintf("%T has no summary", object))
}

// Runs are the entries of steps or nodes in the status.
func Runs(object client.Object) []v1alpha1.RunStatus {
	switch object := object.(type) {
	case *v1alpha1.JobFlow:
		return object.Status.Flows
	case *v1alpha1.DaemonJob:
		return object.Status.Nodes
	}
	panic(fmt.Sprintf("%T has no steps or nodes", object))
}

// Ended says whether a status is the end, as internal/plan does.
func Ended(summary *v1alpha1.Summary) bool {
	if meta.IsStatusConditionTrue(summary.Conditions, v1alpha1.ConditionComplete) {
		return true
	}
	failed := meta.FindStatusCondition(summary.Conditions, v1alpha1.ConditionFailed)
	return failed != nil && failed.Status == metav1.ConditionTrue && failed.Reason != v1alpha1.ReasonInvalidSpec
}

// JobIs says whether a Job has one of the conditions.
func JobIs(job *batchv1.Job, kinds ...batchv1.JobConditionType) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && slices.Contains(kinds, c.Type)
	})
}
