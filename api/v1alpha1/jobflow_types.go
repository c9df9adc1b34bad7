package v1alpha1

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// JobFlowSpec describes a graph of Jobs.
// +kubebuilder:validation:XValidation:rule="has(self.globalParams) == has(oldSelf.globalParams) && (!has(self.globalParams) || self.globalParams == oldSelf.globalParams)",message="globalParams is immutable; create a JobFlow with another name"
// +kubebuilder:validation:XValidation:rule="has(self.shareVolumes) == has(oldSelf.shareVolumes) && (!has(self.shareVolumes) || self.shareVolumes == oldSelf.shareVolumes)",message="shareVolumes is immutable; create a JobFlow with another name"
type JobFlowSpec struct {
	// flows are the steps of the graph, each of which becomes one batch/v1 Job
	// named <jobflow>-<step>. A step starts when every step that it depends on
	// is done, as defined by startOn; steps that do not depend on each other run in
	// parallel. Step names are unique. 1 to 1,000 steps. Immutable.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +listType=map
	// +listMapKey=name
	Flows []FlowStep `json:"flows"`

	// globalParams apply to every step's Job. Default: none. Immutable.
	// +optional
	GlobalParams *GlobalParams `json:"globalParams,omitempty"`

	// shareVolumes are pod volumes that several steps share. A volume goes into
	// the pods of the steps that mount it, with shareVolumeMounts or in a
	// container of their own. Its name must not be one that the pod template of
	// such a step uses already. Default: none. Immutable.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	ShareVolumes []corev1.Volume `json:"shareVolumes,omitempty"`

	// startOn defines when a step is done for the steps that depend on it.
	//
	// JobComplete: when its Job has the condition Complete.
	//
	// PodsSucceeded: as soon as the Job's pods prove that it will be Complete, which
	// saves about a second per step, since the Job controller batches pod updates.
	// JobComplete still applies to Jobs whose end does not depend on their pods alone:
	// those that are Indexed, or have activeDeadlineSeconds, podFailurePolicy,
	// successPolicy or another managedBy. The flow itself ends only when all Jobs have
	// their conditions.
	//
	// Default: JobComplete. May change at any time.
	// +optional
	// +kubebuilder:default=JobComplete
	StartOn StartOn `json:"startOn,omitempty"`

	// suspend holds the flow: no new Job is created, and the Jobs that have not
	// ended are suspended as by their own spec.suspend, which ends their pods.
	// Setting it back to false resumes both, and restarts the clock of
	// activeDeadlineSeconds. Default: false. May change at any time.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// parallelism is the maximum number of Jobs of this flow that run at the same
	// time. Lowering it ends no Job. Default: no limit. At least 1. May change at any
	// time.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Parallelism *int32 `json:"parallelism,omitempty"`

	// activeDeadlineSeconds is how long, in seconds from status.startTime, the
	// flow may be active. After that the Jobs that still run are ended, nothing
	// new starts, and the flow is Failed with reason DeadlineExceeded. Default:
	// no limit. May change at any time until the flow has ended.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// ttlSecondsAfterFinished is how long, in seconds from
	// status.completionTime, the flow is kept once it has ended. After that it is
	// deleted, and its Jobs and pods with it. 0 deletes it at once. Default: it is
	// kept. May change at any time.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
}

// StartOn defines when a step is done.
// +kubebuilder:validation:Enum=JobComplete;PodsSucceeded
type StartOn string

// Values of spec.startOn of a JobFlow.
const (
	StartOnJobComplete   StartOn = "JobComplete"
	StartOnPodsSucceeded StartOn = "PodsSucceeded"
)

// GlobalParams are parameters that every Job of a JobFlow receives.
type GlobalParams struct {
	// nodeName makes every Job run on the node of this name. It becomes a
	// required node affinity, so that the scheduler still checks resources,
	// taints and volumes. Default: any node. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	NodeName string `json:"nodeName,omitempty"`

	CommonParams `json:",inline"`
}

// FlowStep is one step of a JobFlow: a Job and what must be Complete before it.
// +kubebuilder:validation:XValidation:rule="has(self.jobTemplate) != has(self.jobTemplateRef)",message="set exactly one of jobTemplate and jobTemplateRef"
type FlowStep struct {
	// name identifies the step in its flow and ends the name of its Job. A
	// lower-case RFC 1123 label: letters, digits and '-', at most 63 characters.
	// Unique in the flow. Immutable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// dependencies are the names of the steps of this flow that must be done, as
	// defined by startOn, before this step starts. Cycles and unknown names are
	// refused. Default: none, the step starts with the flow. Immutable.
	// +optional
	// +kubebuilder:validation:MaxItems=999
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	Dependencies []string `json:"dependencies,omitempty"`

	// jobTemplate is the spec of the Job, with every field that batch/v1 has. Two
	// things differ from a plain Job: backoffLimit defaults to 0, and
	// restartPolicy is always Never. Exactly one of jobTemplate and
	// jobTemplateRef is set. Immutable.
	// +optional
	JobTemplate *batchv1.JobSpec `json:"jobTemplate,omitempty"`

	// jobTemplateRef is the name of a JobTemplate in the same namespace whose
	// spec is used instead. It is read when the step starts; while there is none
	// of that name, the step waits. Exactly one of jobTemplate and jobTemplateRef
	// is set. Immutable.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	JobTemplateRef string `json:"jobTemplateRef,omitempty"`

	// shareVolumeMounts mount shared volumes into all containers and init
	// containers of the step. Each names a volume of spec.shareVolumes. Default:
	// none. Immutable.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=mountPath
	ShareVolumeMounts []corev1.VolumeMount `json:"shareVolumeMounts,omitempty"`
}

// JobFlowStatus is the observed state of a JobFlow.
type JobFlowStatus struct {
	Summary `json:",inline"`

	// flows has one entry per step, in the order of spec.flows. The list is atomic:
	// only the operator writes it, and 1,000 entries would otherwise be repeated
	// key by key in managedFields.
	// +optional
	// +listType=atomic
	Flows []RunStatus `json:"flows,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=jf,categories=all
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Started",type=date,JSONPath=`.status.startTime`,priority=1
// +kubebuilder:printcolumn:name="Completed",type=date,JSONPath=`.status.completionTime`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// The rule compares flows only if these counters are unchanged, since a status write cannot
// change the spec and a spec write cannot change the status. This spares status writes the
// comparison of 1,000 steps, which is half of their cost.
// +kubebuilder:validation:XValidation:rule="self.?status.?waiting != oldSelf.?status.?waiting || self.?status.?running != oldSelf.?status.?running || self.?status.?succeeded != oldSelf.?status.?succeeded || self.spec.flows == oldSelf.spec.flows",fieldPath=".spec.flows",message="is immutable; create a JobFlow with another name to run other steps"

// JobFlow runs a graph of native batch/v1 Jobs: each step starts once, when
// every step that it depends on is Complete. When a step fails, no new
// step starts, running Jobs are left to finish, and the flow is then Failed.
type JobFlow struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the graph of Jobs.
	// +required
	Spec JobFlowSpec `json:"spec"`

	// status is the observed state of the flow. Only the operator writes it.
	// +optional
	Status JobFlowStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true

// JobFlowList is a list of JobFlows.
type JobFlowList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []JobFlow `json:"items"`
}
