package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// The kinds of this package.
const (
	KindJobFlow     = "JobFlow"
	KindDaemonJob   = "DaemonJob"
	KindJobTemplate = "JobTemplate"
)

// Parent is what a JobFlow and a DaemonJob have in common: it owns Jobs, one for each step
// or node, and its status records how they ended.
// +kubebuilder:object:generate=false
type Parent interface {
	metav1.Object
	runtime.Object

	// GetKind returns KindJobFlow or KindDaemonJob, also for an object that was read with a
	// typed client, which leaves TypeMeta empty.
	GetKind() string
	// GetSummary returns the part of the status that all kinds have.
	GetSummary() *Summary
	// GetRuns returns the entries of the steps or nodes.
	GetRuns() []RunStatus
	// GetStatus returns a shallow copy of the status, and SetStatus replaces it.
	GetStatus() ParentStatus
	SetStatus(status ParentStatus)
}

// ParentStatus is a *JobFlowStatus or a *DaemonJobStatus.
// +kubebuilder:object:generate=false
type ParentStatus interface {
	GetSummary() *Summary
	GetRuns() []RunStatus
}

// ParentList is a *JobFlowList or a *DaemonJobList.
// +kubebuilder:object:generate=false
type ParentList interface {
	metav1.ListInterface
	runtime.Object
}

// ParentKinds are the kinds that own Jobs.
var ParentKinds = []string{KindJobFlow, KindDaemonJob}

// NewParent returns an empty object of one of the ParentKinds.
func NewParent(kind string) Parent {
	if kind == KindJobFlow {
		return &JobFlow{}
	}
	return &DaemonJob{}
}

// NewParentList returns an empty list of one of the ParentKinds.
func NewParentList(kind string) ParentList {
	if kind == KindJobFlow {
		return &JobFlowList{}
	}
	return &DaemonJobList{}
}

// GetSummary implements ParentStatus for the statuses that embed a Summary.
func (s *Summary) GetSummary() *Summary { return s }

// GetKind implements Parent.
func (f *JobFlow) GetKind() string { return KindJobFlow }

// GetSummary implements Parent.
func (f *JobFlow) GetSummary() *Summary { return &f.Status.Summary }

// GetRuns implements Parent.
func (f *JobFlow) GetRuns() []RunStatus { return f.Status.Flows }

// GetStatus implements Parent.
func (f *JobFlow) GetStatus() ParentStatus {
	status := f.Status
	return &status
}

// SetStatus implements Parent.
func (f *JobFlow) SetStatus(status ParentStatus) { f.Status = *status.(*JobFlowStatus) }

// GetRuns implements ParentStatus.
func (s *JobFlowStatus) GetRuns() []RunStatus { return s.Flows }

// GetKind implements Parent.
func (d *DaemonJob) GetKind() string { return KindDaemonJob }

// GetSummary implements Parent.
func (d *DaemonJob) GetSummary() *Summary { return &d.Status.Summary }

// GetRuns implements Parent.
func (d *DaemonJob) GetRuns() []RunStatus { return d.Status.Nodes }

// GetStatus implements Parent.
func (d *DaemonJob) GetStatus() ParentStatus {
	status := d.Status
	return &status
}

// SetStatus implements Parent.
func (d *DaemonJob) SetStatus(status ParentStatus) { d.Status = *status.(*DaemonJobStatus) }

// GetRuns implements ParentStatus.
func (s *DaemonJobStatus) GetRuns() []RunStatus { return s.Nodes }
