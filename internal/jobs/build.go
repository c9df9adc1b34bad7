package jobs

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// ForStep builds the Job of one step. The template is the step's own
// jobTemplate or the spec of the JobTemplate that it refers to; it is not
// changed and shares nothing with the Job.
func ForStep(flow *v1alpha1.JobFlow, step *v1alpha1.FlowStep, template *batchv1.JobSpec) *batchv1.Job {
	params := ptr.Deref(flow.Spec.GlobalParams, v1alpha1.GlobalParams{})

	job := build(flow, v1alpha1.KindJobFlow, step.Name, template, &params.CommonParams, map[string]string{
		v1alpha1.JobFlowLabel: LabelValue(flow.Name),
		v1alpha1.FlowLabel:    LabelValue(step.Name),
	})
	pod := &job.Spec.Template.Spec
	addSharedVolumes(pod, flow.Spec.ShareVolumes, step.ShareVolumeMounts)
	// A step whose own template names a node says itself where it runs, and as on
	// any Job that passes the scheduler by: an affinity for another node would only
	// make the kubelet refuse its pods.
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
	// spec.suspend is the DaemonJob's own. While it is true no Job is built, and
	// the Jobs that exist are suspended with a mark that says by whom.
	template.Suspend = nil

	job := build(dj, v1alpha1.KindDaemonJob, node, &template, &params, map[string]string{
		v1alpha1.DaemonJobLabel: LabelValue(dj.Name),
		v1alpha1.NodeLabel:      LabelValue(node),
	})
	requireNode(&job.Spec.Template.Spec, node)
	job.Annotations[v1alpha1.SettingsAnnotation] = Settings(&dj.Spec.JobSpec)
	return job
}

// DaemonPodSpec is the pod that a DaemonJob runs, before it is bound to one
// node. Which nodes are eligible is judged by it.
func DaemonPodSpec(dj *v1alpha1.DaemonJob) corev1.PodSpec {
	pod := dj.Spec.Template.Spec.DeepCopy()
	addDaemonTolerations(pod)
	// As in a DaemonSet, a nodeName leaves one node. It becomes the affinity that
	// every node's Job gets anyway: the scheduler then checks that the pod fits,
	// and it cannot contradict the node that the Job is for.
	if pod.NodeName != "" {
		requireNode(pod, pod.NodeName)
		pod.NodeName = ""
	}
	return *pod
}

// build makes what the Jobs of steps and nodes have in common.
func build(owner metav1.Object, kind, run string, template *batchv1.JobSpec, params *v1alpha1.CommonParams, ownLabels map[string]string) *batchv1.Job {
	spec := template.DeepCopy()
	pod := &spec.Template

	ownLabels[v1alpha1.KindLabel] = kind
	ownAnnotations := map[string]string{v1alpha1.RunAnnotation: run}
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
			Name:            Name(owner.GetName(), run, spec),
			Namespace:       owner.GetNamespace(),
			Labels:          overlay(jobLabels, ownLabels),
			Annotations:     overlay(jobAnnotations, ownAnnotations),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, v1alpha1.GroupVersion.WithKind(kind))},
		},
		Spec: *spec,
	}
}

// backoffLimit is 0 where the template has none, so that a Job fails with its
// first pod. With backoffLimitPerIndex it stays unset: batch/v1 then makes it as
// good as unlimited, and 0 would fail the whole Job before the first index had
// used up its own limit.
func backoffLimit(spec *batchv1.JobSpec) *int32 {
	if spec.BackoffLimit == nil && spec.BackoffLimitPerIndex == nil {
		return ptr.To[int32](0)
	}
	return spec.BackoffLimit
}

// dropGenerated removes what the API server writes into every Job that has no
// manualSelector, and what a spec that was copied from a living Job therefore
// holds. With the UID and name of that other Job it would be refused. A selector
// that somebody wrote is left for the API server to judge.
func dropGenerated(spec *batchv1.JobSpec) {
	if ptr.Deref(spec.ManualSelector, false) {
		return
	}
	for _, key := range []string{
		batchv1.ControllerUidLabel,
		batchv1.JobNameLabel,
		"controller-uid", // the same two, by the names they had before Kubernetes 1.27
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
