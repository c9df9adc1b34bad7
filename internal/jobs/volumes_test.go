package jobs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

func TestSharedVolumes(t *testing.T) {
	claim := func(name string) corev1.Volume {
		return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
		}}
	}
	empty := func(name string) corev1.Volume { return corev1.Volume{Name: name} }
	mount := func(name, path string) corev1.VolumeMount { return corev1.VolumeMount{Name: name, MountPath: path} }
	type volumes = []corev1.Volume
	type mounts = []corev1.VolumeMount

	cases := map[string]struct {
		shared      volumes
		stepMounts  mounts
		template    func(*batchv1.JobSpec)
		wantVolumes volumes
		wantInit    mounts
		wantMain    mounts
	}{
		"none": {},
		"not mounted": {
			shared: volumes{claim("data")},
		},
		"mounted by the step, in all containers": {
			shared:      volumes{claim("data"), claim("other")},
			stepMounts:  mounts{mount("data", "/data")},
			wantVolumes: volumes{claim("data")},
			wantInit:    mounts{mount("data", "/data")},
			wantMain:    mounts{mount("data", "/data")},
		},
		"mounted twice, added once": {
			shared:      volumes{claim("data")},
			stepMounts:  mounts{mount("data", "/in"), mount("data", "/out")},
			wantVolumes: volumes{claim("data")},
			wantInit:    mounts{mount("data", "/in"), mount("data", "/out")},
			wantMain:    mounts{mount("data", "/in"), mount("data", "/out")},
		},
		"mounted by a container itself": {
			shared:      volumes{claim("data"), claim("other")},
			template:    func(s *batchv1.JobSpec) { s.Template.Spec.Containers[0].VolumeMounts = mounts{mount("data", "/own")} },
			wantVolumes: volumes{claim("data")},
			wantMain:    mounts{mount("data", "/own")},
		},
		"mounted by an init container itself": {
			shared: volumes{claim("data")},
			template: func(s *batchv1.JobSpec) {
				s.Template.Spec.InitContainers[0].VolumeMounts = mounts{mount("data", "/own")}
			},
			wantVolumes: volumes{claim("data")},
			wantInit:    mounts{mount("data", "/own")},
		},
		"block device of a container": {
			shared: volumes{claim("disk")},
			template: func(s *batchv1.JobSpec) {
				s.Template.Spec.Containers[0].VolumeDevices = []corev1.VolumeDevice{{Name: "disk", DevicePath: "/dev/x"}}
			},
			wantVolumes: volumes{claim("disk")},
		},
		"by the step and by a container": {
			shared:      volumes{claim("data")},
			stepMounts:  mounts{mount("data", "/data")},
			template:    func(s *batchv1.JobSpec) { s.Template.Spec.Containers[0].VolumeMounts = mounts{mount("data", "/own")} },
			wantVolumes: volumes{claim("data")},
			wantInit:    mounts{mount("data", "/data")},
			wantMain:    mounts{mount("data", "/own"), mount("data", "/data")},
		},
		"after the template's volumes": {
			shared:      volumes{claim("b"), claim("a")},
			stepMounts:  mounts{mount("a", "/a"), mount("b", "/b")},
			template:    func(s *batchv1.JobSpec) { s.Template.Spec.Volumes = volumes{empty("tmp")} },
			wantVolumes: volumes{empty("tmp"), claim("b"), claim("a")},
			wantInit:    mounts{mount("a", "/a"), mount("b", "/b")},
			wantMain:    mounts{mount("a", "/a"), mount("b", "/b")},
		},
		"what the template defines is its own": {
			shared: volumes{claim("data")},
			template: func(s *batchv1.JobSpec) {
				s.Template.Spec.Volumes = volumes{empty("data")}
				s.Template.Spec.Containers[0].VolumeMounts = mounts{mount("data", "/own")}
			},
			wantVolumes: volumes{empty("data")},
			wantMain:    mounts{mount("data", "/own")},
		},
		"a shared mount of a name that the template defines is left for the API server to refuse": {
			shared:      volumes{claim("data")},
			stepMounts:  mounts{mount("data", "/data")},
			template:    func(s *batchv1.JobSpec) { s.Template.Spec.Volumes = volumes{empty("data")} },
			wantVolumes: volumes{empty("data"), claim("data")},
			wantInit:    mounts{mount("data", "/data")},
			wantMain:    mounts{mount("data", "/data")},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spec := template()
			if c.template != nil {
				c.template(spec)
			}
			flow := newFlow(func(f *v1alpha1.JobFlow) { f.Spec.ShareVolumes = c.shared })
			job := ForStep(flow, step(func(s *v1alpha1.FlowStep) { s.ShareVolumeMounts = c.stepMounts }), spec)

			pod := job.Spec.Template.Spec
			if diff := cmp.Diff(c.wantVolumes, pod.Volumes); diff != "" {
				t.Errorf("volumes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.wantInit, pod.InitContainers[0].VolumeMounts); diff != "" {
				t.Errorf("mounts of the init container (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.wantMain, pod.Containers[0].VolumeMounts); diff != "" {
				t.Errorf("mounts of the container (-want +got):\n%s", diff)
			}
		})
	}
}
