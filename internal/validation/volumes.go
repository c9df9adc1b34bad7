package validation

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/jobflow-operator/jobflow-operator/internal/graph"
)

// validateVolumes checks the names in a list of volumes.
func validateVolumes(list []corev1.Volume, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := sets.New[string]()
	for i := range list {
		name := list[i].Name
		errs = append(errs, validateRequired(name, validation.IsDNS1123Label, at.Index(i).Child("name"))...)
		if name != "" && seen.Has(name) {
			errs = append(errs, field.Duplicate(at.Index(i).Child("name"), name))
		}
		seen.Insert(name)
	}
	return errs
}

// validateSharedMounts checks the shareVolumeMounts of a step, and that their volumes are
// shared.
func validateSharedMounts(shared []corev1.Volume, mounts []corev1.VolumeMount, at *field.Path) field.ErrorList {
	errs := validateVolumeMounts(mounts, at)
	known := newVolumeSet(shared)
	for i := range mounts {
		if name := mounts[i].Name; name != "" && !known.has(name) {
			errs = append(errs, field.Invalid(at.Index(i).Child("name"), name,
				"no volume of this name in spec.shareVolumes"+suggest(known.Nearest(name))))
		}
	}
	return errs
}

// validateSharedVolumes checks that the pod of a step does not itself use the names and
// mount paths of the shared volumes that it gets.
func validateSharedVolumes(shared []corev1.Volume, mounts []corev1.VolumeMount, pod *corev1.PodSpec, at *field.Path) field.ErrorList {
	used := sets.New[string]()
	mountedAt := make(map[string]string, len(mounts))
	for i := range mounts {
		used.Insert(mounts[i].Name)
		mountedAt[mounts[i].MountPath] = mounts[i].Name
	}
	var errs field.ErrorList
	forEachContainer(pod, at, func(container *corev1.Container, at *field.Path) {
		for i := range container.VolumeMounts {
			mount := &container.VolumeMounts[i]
			used.Insert(mount.Name)
			if name, taken := mountedAt[mount.MountPath]; taken && mount.MountPath != "" {
				errs = append(errs, field.Invalid(at.Child("volumeMounts").Index(i).Child("mountPath"), mount.MountPath,
					fmt.Sprintf("shareVolumeMounts also mounts volume %q at this path; choose another path for one of them", name)))
			}
		}
	})
	names := sets.New(volumeNames(shared)...)
	for i := range pod.Volumes {
		if name := pod.Volumes[i].Name; names.Has(name) && used.Has(name) {
			errs = append(errs, field.Invalid(at.Child("volumes").Index(i).Child("name"), name,
				"spec.shareVolumes has a volume of this name too, and the step mounts it; rename one of them"))
		}
	}
	return errs
}

// validateMountsExist checks that the volumes that the containers mount exist, in the pod
// or among the shared volumes.
func validateMountsExist(pod *corev1.PodSpec, shared []corev1.Volume, at *field.Path) field.ErrorList {
	known := newVolumeSet(pod.Volumes, shared)
	var errs field.ErrorList
	check := func(name string, at *field.Path) {
		if name != "" && !known.has(name) {
			errs = append(errs, field.Invalid(at.Child("name"), name,
				"no volume of this name"+suggest(known.Nearest(name))))
		}
	}
	forEachContainer(pod, at, func(container *corev1.Container, at *field.Path) {
		for i := range container.VolumeMounts {
			check(container.VolumeMounts[i].Name, at.Child("volumeMounts").Index(i))
		}
		for i := range container.VolumeDevices {
			check(container.VolumeDevices[i].Name, at.Child("volumeDevices").Index(i))
		}
	})
	return errs
}

// validateVolumeMounts checks mounts, but not that their volumes exist.
func validateVolumeMounts(mounts []corev1.VolumeMount, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := sets.New[string]()
	for i := range mounts {
		mount, at := &mounts[i], at.Index(i)
		if mount.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
		switch {
		case mount.MountPath == "":
			errs = append(errs, field.Required(at.Child("mountPath"), ""))
		case seen.Has(mount.MountPath):
			errs = append(errs, field.Duplicate(at.Child("mountPath"), mount.MountPath))
		}
		seen.Insert(mount.MountPath)
		if mount.SubPath != "" && mount.SubPathExpr != "" {
			errs = append(errs, field.Forbidden(at.Child("subPathExpr"), "set either subPath or subPathExpr"))
		}
		errs = append(errs, validateSubPath(mount.SubPath, at.Child("subPath"))...)
		errs = append(errs, validateSubPath(mount.SubPathExpr, at.Child("subPathExpr"))...)
	}
	return errs
}

func validateSubPath(subPath string, at *field.Path) field.ErrorList {
	switch {
	case path.IsAbs(subPath):
		return field.ErrorList{field.Invalid(at, subPath, "must be a relative path")}
	case slices.Contains(strings.Split(subPath, "/"), ".."):
		return field.ErrorList{field.Invalid(at, subPath, "must not contain '..'")}
	}
	return nil
}

// volumeSet finds volumes by name, and suggests one for an unknown name.
type volumeSet struct {
	*graph.Search
	names sets.Set[string]
}

func newVolumeSet(lists ...[]corev1.Volume) volumeSet {
	var all []string
	for _, list := range lists {
		all = append(all, volumeNames(list)...)
	}
	return volumeSet{graph.NewSearch(func() []string { return all }), sets.New(all...)}
}

func (s volumeSet) has(name string) bool { return s.names.Has(name) }

func volumeNames(list []corev1.Volume) []string {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	return names
}

// forEachContainer visits init containers and containers with their paths.
func forEachContainer(pod *corev1.PodSpec, at *field.Path, visit func(*corev1.Container, *field.Path)) {
	for i := range pod.InitContainers {
		visit(&pod.InitContainers[i], at.Child("initContainers").Index(i))
	}
	for i := range pod.Containers {
		visit(&pod.Containers[i], at.Child("containers").Index(i))
	}
}
