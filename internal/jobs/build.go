package jobs

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// ForStep builds the Job of one step. The template is the step's own jobTemplate or the
// spec of the JobTemplate that it refers to; it is not changed and shares no memory with
// the Job.
func ForStep(flow *v1alpha1.JobFlow, step *v1alpha1.FlowStep, template *batchv1.JobSpec) *batchv1.Job {
	params := ptr.Deref(flow.Spec.GlobalParams, v1alpha1.GlobalParams{})

	job := build(flow, v1alpha1.KindJobFlow, Run{step.Name, 1}, template, &params.CommonParams, map[string]string{
		v1alpha1.JobFlowLabel: LabelValue(flow.Name),
		v1alpha1.FlowLabel:    LabelValue(step.Name),
	})
	pod := &job.Spec.Template.Spec
	addSharedVolumes(pod, flow.Spec.ShareVolumes, step.ShareVolumeMounts)
	// A template with a nodeName bypasses the scheduler, as in any Job. An affinity for
	// another node would only make the kubelet refuse its pods.
	if params.NodeName != "" && pod.NodeName == "" {
		requireNode(pod, params.NodeName)
	}
	if step.JobTemplateRef != "" {
		job.Annotations[v1alpha1.JobTemplateAnnotation] = step.JobTemplateRef
	}
	return job
}

// ForNode builds the Job of one node of a DaemonJob.
func ForNode(dj *v1alpha1.DaemonJob, node string) *batchv1.Job {
	params := ptr.Deref(dj.Spec.GlobalParams, v1alpha1.CommonParams{})
	template := dj.Spec.JobSpec
	template.Template.Spec = DaemonPodSpec(dj)
	// spec.suspend belongs to the DaemonJob. While it is true no Job is built, and the
	// existing Jobs are suspended with an annotation that marks the parent's suspension.
	template.Suspend = nil

	job := build(dj, v1alpha1.KindDaemonJob, Run{node, 1}, &template, &params, map[string]string{
		v1alpha1.DaemonJobLabel: LabelValue(dj.Name),
		v1alpha1.NodeLabel:      LabelValue(node),
	})
	requireNode(&job.Spec.Template.Spec, node)
	job.Annotations[v1alpha1.SettingsAnnotation] = Settings(&dj.Spec.JobSpec)
	return job
}

// DaemonPodSpec returns the pod spec of a DaemonJob before it is bound to one node. It
// determines which nodes are eligible.
func DaemonPodSpec(dj *v1alpha1.DaemonJob) corev1.PodSpec {
	pod := dj.Spec.Template.Spec.DeepCopy()
	addDaemonTolerations(pod)
	// As in a DaemonSet, a nodeName leaves only that node. It becomes a required node
	// affinity like that of every node's Job, so the scheduler checks that the pod fits
	// and the Job cannot name two nodes.
	if pod.NodeName != "" {
		requireNode(pod, pod.NodeName)
		pod.NodeName = ""
	}
	return *pod
}

// build builds what the Jobs of steps and nodes have in common.
func build(owner metav1.Object, kind string, run Run, template *batchv1.JobSpec, params *v1alpha1.CommonParams, ownLabels map[string]string) *batchv1.Job {
	spec := template.DeepCopy()
	pod := &spec.Template

	ownLabels[v1alpha1.KindLabel] = kind
	ownAnnotations := map[string]string{}
	run.mark(ownLabels, ownAnnotations)
	holdTTL(ownAnnotations, spec.TTLSecondsAfterFinished)
	spec.TTLSecondsAfterFinished = nil

	jobLabels, podLabels := mergeKeys(params.Labels, pod.Labels)
	jobAnnotations, podAnnotations := mergeKeys(params.Annotations, pod.Annotations)
	pod.Labels = overlay(podLabels, ownLabels)
	pod.Annotations = podAnnotations
	mergeEnv(&pod.Spec, params.Env)

	dropGenerated(spec)
	spec.BackoffLimit = backoffLimit(spec)
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever

	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name:            run.jobName(owner.GetName(), spec),
			Namespace:       owner.GetNamespace(),
			Labels:          overlay(jobLabels, ownLabels),
			Annotations:     overlay(jobAnnotations, ownAnnotations),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, v1alpha1.GroupVersion.WithKind(kind))},
		},
		Spec: *spec,
	}
}

// backoffLimit defaults to 0, so that a Job fails with its first pod. With
// backoffLimitPerIndex it stays unset: batch/v1 then defaults it to practically no limit,
// and 0 would fail the whole Job before the first index has used up its own limit.
func backoffLimit(spec *batchv1.JobSpec) *int32 {
	if spec.BackoffLimit == nil && spec.BackoffLimitPerIndex == nil {
		return ptr.To[int32](0)
	}
	return spec.BackoffLimit
}

// dropGenerated removes the labels and selector that the API server generates for every
// Job without manualSelector. A spec that was copied from an existing Job contains them,
// and would be refused because of the UID and name of that Job. A selector that a user
// wrote is left for the API server to check.
func dropGenerated(spec *batchv1.JobSpec) {
	if ptr.Deref(spec.ManualSelector, false) {
		return
	}
	for _, key := range []string{
		batchv1.ControllerUidLabel,
		batchv1.JobNameLabel,
		"controller-uid", // the names of these two before Kubernetes 1.27
		"job-name",
	} {
		delete(spec.Template.Labels, key)
		if spec.Selector != nil {
			delete(spec.Selector.MatchLabels, key)
		}
	}
	if spec.Selector != nil && len(spec.Selector.MatchLabels) == 0 && len(spec.Selector.MatchExpressions) == 0 {
		spec.Selector = nil
	}
}
