package v1alpha1

import (
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DaemonJobSpec describes a Job that runs once on every node. The fields of a
// batch/v1 JobSpec are inlined next to globalParams and excludeNodeList; they are
// the spec of each node's Job. Two things differ from a plain Job: backoffLimit
// defaults to 0, and restartPolicy is always Never.
// +kubebuilder:validation:XValidation:rule="self.template == oldSelf.template",fieldPath=".template",message="is immutable; create a DaemonJob with another name to run something else"
// +kubebuilder:validation:XValidation:rule="has(self.globalParams) == has(oldSelf.globalParams) && (!has(self.globalParams) || self.globalParams == oldSelf.globalParams)",message="globalParams is immutable; create a DaemonJob with another name"
// +kubebuilder:validation:XValidation:rule=`(has(self.excludeNodeList) ? self.excludeNodeList : "") == (has(oldSelf.excludeNodeList) ? oldSelf.excludeNodeList : "")`,message="excludeNodeList is immutable; create a DaemonJob with another name"
// +kubebuilder:validation:XValidation:rule="has(self.completions) == has(oldSelf.completions) && (!has(self.completions) || self.completions == oldSelf.completions) && has(self.completionMode) == has(oldSelf.completionMode) && (!has(self.completionMode) || self.completionMode == oldSelf.completionMode)",message="completions and completionMode are immutable; create a DaemonJob with another name"
// +kubebuilder:validation:XValidation:rule="has(self.selector) == has(oldSelf.selector) && (!has(self.selector) || self.selector == oldSelf.selector) && has(self.manualSelector) == has(oldSelf.manualSelector) && (!has(self.manualSelector) || self.manualSelector == oldSelf.manualSelector)",message="selector and manualSelector are immutable; create a DaemonJob with another name"
// +kubebuilder:validation:XValidation:rule="has(self.podFailurePolicy) == has(oldSelf.podFailurePolicy) && (!has(self.podFailurePolicy) || self.podFailurePolicy == oldSelf.podFailurePolicy) && has(self.successPolicy) == has(oldSelf.successPolicy) && (!has(self.successPolicy) || self.successPolicy == oldSelf.successPolicy)",message="podFailurePolicy and successPolicy are immutable; create a DaemonJob with another name"
// +kubebuilder:validation:XValidation:rule="has(self.backoffLimitPerIndex) == has(oldSelf.backoffLimitPerIndex) && (!has(self.backoffLimitPerIndex) || self.backoffLimitPerIndex == oldSelf.backoffLimitPerIndex) && has(self.maxFailedIndexes) == has(oldSelf.maxFailedIndexes) && (!has(self.maxFailedIndexes) || self.maxFailedIndexes == oldSelf.maxFailedIndexes)",message="backoffLimitPerIndex and maxFailedIndexes are immutable; create a DaemonJob with another name"
// +kubebuilder:validation:XValidation:rule="has(self.podReplacementPolicy) == has(oldSelf.podReplacementPolicy) && (!has(self.podReplacementPolicy) || self.podReplacementPolicy == oldSelf.podReplacementPolicy) && has(self.managedBy) == has(oldSelf.managedBy) && (!has(self.managedBy) || self.managedBy == oldSelf.managedBy)",message="podReplacementPolicy and managedBy are immutable; create a DaemonJob with another name"
// +kubebuilder:validation:XValidation:rule="has(self.scheduling) == has(oldSelf.scheduling) && (!has(self.scheduling) || self.scheduling == oldSelf.scheduling)",message="scheduling is immutable; create a DaemonJob with another name"
type DaemonJobSpec struct {
	// globalParams apply to every node's Job. Default: none. Immutable.
	// +optional
	GlobalParams *CommonParams `json:"globalParams,omitempty"`

	// excludeNodeList names the nodes that get no Job, separated by commas; whitespace
	// around a name is ignored, and a name that no node has is allowed. Default:
	// no node is excluded. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=262144
	ExcludeNodeList string `json:"excludeNodeList,omitempty"`

	// The native spec of each node's Job. suspend, parallelism,
	// activeDeadlineSeconds, backoffLimit and ttlSecondsAfterFinished may change
	// at any time and are applied to the Jobs that have not ended; the rest is
	// immutable, as it is on a Job.
	batchv1.JobSpec `json:",inline"`
}

// DaemonJobStatus is the observed state of a DaemonJob.
type DaemonJobStatus struct {
	Summary `json:",inline"`

	// desired counts the nodes that get a Job.
	// +optional
	Desired int32 `json:"desired"`

	// nodes has one entry per node, sorted by name. With more than 500 nodes, those
	// that Succeeded are counted and no longer listed. The list is atomic, since only
	// the operator writes it.
	// +optional
	// +listType=atomic
	Nodes []RunStatus `json:"nodes,omitempty"`

	// succeededDigest remembers the nodes that Succeeded and are not listed in
	// nodes, so that they never run again: the first six bytes of the SHA-256 of
	// each name, sorted, in base64. Internal to the operator; see succeeded.
	// +optional
	SucceededDigest []byte `json:"succeededDigest,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=dj,categories=all
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Desired",type=integer,JSONPath=`.status.desired`,priority=1
// +kubebuilder:printcolumn:name="Started",type=date,JSONPath=`.status.startTime`,priority=1
// +kubebuilder:printcolumn:name="Completed",type=date,JSONPath=`.status.completionTime`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1

// DaemonJob runs a batch/v1 Job once on every node that a DaemonSet of the same
// pod template would run on, except those excluded. Nodes that join while it runs
// are included. It is Complete when every node's Job is, and Failed when all
// have ended and one has failed.
type DaemonJob struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the Job and the nodes that it does not run on.
	// +required
	Spec DaemonJobSpec `json:"spec"`

	// status is the observed state of the DaemonJob. Only the operator writes it.
	// +optional
	Status DaemonJobStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true

// DaemonJobList is a list of DaemonJobs.
type DaemonJobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []DaemonJob `json:"items"`
}
