package jobs

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
)

// addSharedVolumes mounts shared volumes into all containers and init containers, and adds
// to the pod only the shared volumes that it uses, so that a step does not wait for a claim
// that it never uses.
func addSharedVolumes(pod *corev1.PodSpec, shared []corev1.Volume, mounts []corev1.VolumeMount) {
	wanted := sets.New[string]()
	for _, container := range containersOf(pod) {
		for i := range container.VolumeMounts {
			wanted.Insert(container.VolumeMounts[i].Name)
		}
		for i := range container.VolumeDevices {
			wanted.Insert(container.VolumeDevices[i].Name)
		}
		for i := range mounts {
			container.VolumeMounts = append(container.VolumeMounts, *mounts[i].DeepCopy())
		}
	}
	// A volume that a container mounts itself and the template defines is the template's.
	for i := range pod.Volumes {
		wanted.Delete(pod.Volumes[i].Name)
	}
	// A shared mount refers to the shared volume, even if the template has a volume of
	// that name. Admission refuses that, but a JobTemplate can introduce it later, and then
	// the API server refuses two volumes of the same name. Silently using the template's
	// volume would run the step on the wrong data.
	for i := range mounts {
		wanted.Insert(mounts[i].Name)
	}
	for i := range shared {
		if wanted.Has(shared[i].Name) {
			pod.Volumes = append(pod.Volumes, *shared[i].DeepCopy())
		}
	}
}
