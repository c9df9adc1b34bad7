// Package v1alpha1 holds the JobFlow, DaemonJob and JobTemplate resources of
// the group api.practice.com.
// +kubebuilder:object:generate=true
// +groupName=api.practice.com
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the group and version of every resource in this package.
	GroupVersion = schema.GroupVersion{Group: "api.practice.com", Version: "v1alpha1"}

	// SchemeBuilder collects the functions that AddToScheme runs.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the resources of this package with a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&JobFlow{}, &JobFlowList{},
		&DaemonJob{}, &DaemonJobList{},
		&JobTemplate{}, &JobTemplateList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
