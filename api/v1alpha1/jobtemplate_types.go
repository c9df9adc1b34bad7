package v1alpha1

import (
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReusableJobSpec is the spec of a JobTemplate.
type ReusableJobSpec struct {
	// jobTemplate is the spec that Jobs made from this template get, with every
	// field that batch/v1 has; backoffLimit defaults to 0, and restartPolicy is
	// always Never. It may be edited at any time: existing Jobs keep the spec
	// that they were created from, and steps that start later use the new one.
	// +required
	JobTemplate batchv1.JobSpec `json:"jobTemplate"`
}

// JobTemplateStatus lists the Jobs that use a JobTemplate.
type JobTemplateStatus struct {
	// dependencyList names the Jobs that use this template: those of every step
	// in the namespace that refers to it, whether the step has started or not.
	// Sorted; at most 500 names.
	// +optional
	// +listType=atomic
	DependencyList []string `json:"dependencyList,omitempty"`

	// dependencies counts the Jobs that use this template, including those that
	// dependencyList has no room for.
	// +optional
	Dependencies int32 `json:"dependencies,omitempty"`

	// observedGeneration is the metadata.generation that this status was computed
	// from.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=jt,categories=all
// +kubebuilder:printcolumn:name="Used-By",type=integer,JSONPath=`.status.dependencies`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// JobTemplate is a Job spec that steps of JobFlows in the same namespace use by
// name. Deleting it does not affect existing Jobs; steps that have not started
// wait until a JobTemplate of that name exists again.
type JobTemplate struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the reusable Job spec.
	// +required
	Spec ReusableJobSpec `json:"spec"`

	// status lists the Jobs that use the template. Only the operator writes it.
	// +optional
	Status JobTemplateStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true

// JobTemplateList is a list of JobTemplates.
type JobTemplateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []JobTemplate `json:"items"`
}
