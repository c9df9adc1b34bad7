package controllers

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// CacheOptions keep the caches small: only Jobs and pods that the operator made,
// and of every object only what is read. A cluster with many other Jobs costs
// nothing.
func CacheOptions() cache.Options {
	ours, err := labels.NewRequirement(v1alpha1.KindLabel, selection.Exists, nil)
	if err != nil {
		panic(err) // the key is a constant
	}
	selector := labels.NewSelector().Add(*ours)
	return cache.Options{
		DefaultTransform: trimMeta,
		ByObject: map[client.Object]cache.ByObject{
			&batchv1.Job{}: {Label: selector, Transform: trimJob},
			&corev1.Pod{}:  {Label: selector, Transform: trimPod},
			&corev1.Node{}: {Transform: trimNode},
		},
	}
}

// trimMeta drops what nobody reads and what would otherwise double the size of an
// object. None of these objects is ever written back whole.
func trimMeta(in any) (any, error) {
	if object, ok := in.(metav1.Object); ok {
		object.SetManagedFields(nil)
		delete(object.GetAnnotations(), corev1.LastAppliedConfigAnnotation)
	}
	return in, nil
}

func trimJob(in any) (any, error) {
	if job, ok := in.(*batchv1.Job); ok {
		job.Spec.Template = corev1.PodTemplateSpec{}
	}
	return trimMeta(in)
}

// trimPod keeps what says why a Job's pod does not run.
func trimPod(in any) (any, error) {
	if pod, ok := in.(*corev1.Pod); ok {
		status := corev1.PodStatus{Phase: pod.Status.Phase}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodScheduled {
				status.Conditions = append(status.Conditions, corev1.PodCondition{
					Type: condition.Type, Status: condition.Status, Reason: condition.Reason, Message: condition.Message,
				})
			}
		}
		status.InitContainerStatuses = trimContainers(pod.Status.InitContainerStatuses)
		status.ContainerStatuses = trimContainers(pod.Status.ContainerStatuses)
		pod.Spec, pod.Status = corev1.PodSpec{SchedulingGates: pod.Spec.SchedulingGates}, status
		pod.Annotations, pod.Labels = nil, nil
	}
	return trimMeta(in)
}

func trimContainers(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	var kept []corev1.ContainerStatus
	for i := range statuses {
		kept = append(kept, corev1.ContainerStatus{Name: statuses[i].Name, Image: statuses[i].Image, State: corev1.ContainerState{
			Waiting: statuses[i].State.Waiting, Running: statuses[i].State.Running, Terminated: terminated(statuses[i].State.Terminated),
		}})
	}
	return kept
}

// terminated keeps that a container has ended, and none of the details.
func terminated(state *corev1.ContainerStateTerminated) *corev1.ContainerStateTerminated {
	if state == nil {
		return nil
	}
	return &corev1.ContainerStateTerminated{ExitCode: state.ExitCode}
}

// trimNode keeps what decides whether a DaemonJob runs there.
func trimNode(in any) (any, error) {
	if node, ok := in.(*corev1.Node); ok {
		node.Status = corev1.NodeStatus{}
		node.Spec = corev1.NodeSpec{Taints: node.Spec.Taints, Unschedulable: node.Spec.Unschedulable}
		node.Annotations = nil
	}
	return trimMeta(in)
}
