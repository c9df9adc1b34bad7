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

// New returns a JobFlow with these steps.
func New(namespace, name string, steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return build.Flow(namespace, name, steps...)
}

// Step returns a step that runs a script after other steps.
func Step(name, script string, after ...string) v1alpha1.FlowStep {
	return v1alpha1.FlowStep{Name: name, Dependencies: after, JobTemplate: Shell(script)}
}

// Shell returns the spec of a Job with one container that runs a script.
func Shell(script string) *batchv1.JobSpec {
	spec := build.JobSpec()
	// A shell that is PID 1 ignores SIGTERM, so its pod would take half a minute to end.
	spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](1)
	spec.Template.Spec.Containers[0] = Container(script)
	return spec
}

// Hold is a script that runs until the spec calls Cluster.Release. So an action that has to
// happen while the step runs may take as long as it needs.
const Hold = "until [ -e /tmp/end ]; do sleep 0.2; done"

// Container returns a container that runs a script.
func Container(script string) corev1.Container {
	container := build.JobSpec().Template.Spec.Containers[0]
	container.ImagePullPolicy, container.Command = corev1.PullIfNotPresent, []string{"sh", "-c", script}
	return container
}

// Summary returns the part of the status that JobFlows and DaemonJobs have in common.
func Summary(object client.Object) *v1alpha1.Summary {
	switch object := object.(type) {
	case *v1alpha1.JobFlow:
		return &object.Status.Summary
	case *v1alpha1.DaemonJob:
		return &object.Status.Summary
	}
	panic(fmt.Sprintf("%T has no summary", object))
}

// Runs returns the entries for steps or nodes in the status.
func Runs(object client.Object) []v1alpha1.RunStatus {
	switch object := object.(type) {
	case *v1alpha1.JobFlow:
		return object.Status.Flows
	case *v1alpha1.DaemonJob:
		return object.Status.Nodes
	}
	panic(fmt.Sprintf("%T has no steps or nodes", object))
}

// Ended reports whether a status is final. It repeats the rule of internal/plan, so that the
// tests notice when that changes.
func Ended(summary *v1alpha1.Summary) bool {
	if meta.IsStatusConditionTrue(summary.Conditions, v1alpha1.ConditionComplete) {
		return true
	}
	failed := meta.FindStatusCondition(summary.Conditions, v1alpha1.ConditionFailed)
	return failed != nil && failed.Status == metav1.ConditionTrue && failed.Reason != v1alpha1.ReasonInvalidSpec
}

// JobIs reports whether one of these conditions of a Job is true.
func JobIs(job *batchv1.Job, kinds ...batchv1.JobConditionType) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && slices.Contains(kinds, c.Type)
	})
}
