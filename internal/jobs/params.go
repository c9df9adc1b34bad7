package jobs

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// ownKeys are the labels and annotations that only the operator sets. They are never taken
// from a template or from globalParams, because the operator trusts them: they could claim
// that the parent suspended the Job, or set another TTL.
var ownKeys = sets.New(
	v1alpha1.KindLabel,
	v1alpha1.JobFlowLabel,
	v1alpha1.FlowLabel,
	v1alpha1.DaemonJobLabel,
	v1alpha1.NodeLabel,
	v1alpha1.RunAnnotation,
	attemptKey,
	v1alpha1.JobTemplateAnnotation,
	v1alpha1.SuspendedAnnotation,
	v1alpha1.TTLAnnotation,
	v1alpha1.DeadlineAnnotation,
	v1alpha1.SettingsAnnotation,
)

// mergeKeys merges labels or annotations of globalParams with those of a pod template. The
// template wins, on the Job too: if a Job's label differed from that of its pods, a label
// query would find one and miss the other. The template's other keys stay on the pods only,
// as with batch/v1.
func mergeKeys(global, template map[string]string) (onJob, onPod map[string]string) {
	onJob, onPod = map[string]string{}, map[string]string{}
	for key, value := range global {
		if own, ok := template[key]; ok {
			value = own
		}
		onJob[key], onPod[key] = value, value
	}
	maps.Copy(onPod, template)
	for key := range ownKeys {
		delete(onJob, key)
		delete(onPod, key)
	}
	return onJob, onPod
}

// overlay adds the entries of top to base, overriding its own, and returns it.
func overlay(base, top map[string]string) map[string]string {
	maps.Copy(base, top)
	return base
}

// mergeEnv adds each variable to all containers and init containers that do not set it.
// The added variables come first, because a variable can refer only to earlier ones.
func mergeEnv(pod *corev1.PodSpec, global []corev1.EnvVar) {
	for _, container := range containersOf(pod) {
		own := container.Env
		named := make(sets.Set[string], len(own))
		for i := range own {
			named.Insert(own[i].Name)
		}
		var env []corev1.EnvVar
		for i := range global {
			if !named.Has(global[i].Name) {
				env = append(env, *global[i].DeepCopy())
			}
		}
		container.Env = slices.Concat(env, own)
	}
}

// containersOf returns pointers to all init containers and containers of the pod.
func containersOf(pod *corev1.PodSpec) []*corev1.Container {
	var all []*corev1.Container
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			all = append(all, &containers[i])
		}
	}
	return all
}
