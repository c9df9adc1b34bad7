package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// State is the one-word summary of a JobFlow or DaemonJob that kubectl get
// prints.
// +kubebuilder:validation:Enum=Pending;Running;Succeed;Failed;Terminating;Suspended
type State string

const (
	// StatePending means that no Job has been created yet; status.message says
	// what is missing.
	StatePending State = "Pending"
	// StateRunning means that at least one Job has been created and the object has
	// not ended. A flow with a failed step stays Running until the Jobs that
	// were already started have ended.
	StateRunning State = "Running"
	// StateSucceed means that every Job ended with the condition Complete.
	StateSucceed State = "Succeed"
	// StateFailed means that the spec is invalid, a Job failed, or the deadline
	// passed, and that nothing runs any more.
	StateFailed State = "Failed"
	// StateTerminating means that the object is being deleted.
	StateTerminating State = "Terminating"
	// StateSuspended means that spec.suspend is true: no Job is created and
	// those that exist are suspended.
	StateSuspended State = "Suspended"
)

// Phase is the state of one step of a JobFlow or one node of a DaemonJob.
// +kubebuilder:validation:Enum=Waiting;Running;Succeeded;Failed;Skipped
type Phase string

const (
	// PhaseWaiting means that the work has not started; reason and message say
	// what it waits for.
	PhaseWaiting Phase = "Waiting"
	// PhaseRunning means that the Job exists and nothing holds up its pods.
	PhaseRunning Phase = "Running"
	// PhaseSucceeded means that the Job has the condition Complete. Final.
	PhaseSucceeded Phase = "Succeeded"
	// PhaseFailed means that the Job has the condition Failed, was refused by
	// the API server, or was deleted before its end. Final.
	PhaseFailed Phase = "Failed"
	// PhaseSkipped means that no Job will run: for a step, because the flow goes to
	// its end without it; for a node, because it is gone or its taints are not
	// tolerated. Final once the JobFlow or DaemonJob has ended.
	PhaseSkipped Phase = "Skipped"
)

// CommonParams are parameters that every Job of the object receives. They are
// merged into each Job, never replaced: where the Job's own template sets the
// same env variable, label or annotation, the template wins.
type CommonParams struct {
	// env is added to every container and init container of every Job, by name.
	// A container that sets a variable of the same name keeps its own. The
	// variables come before the container's own, which may therefore refer to
	// them as $(NAME). Default: none. Immutable.
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []corev1.EnvVar `json:"env,omitempty"`

	// labels are added to every Job and to its pods. Where the pod template sets
	// a label of the same key, its value is used instead. Default: none. Immutable.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to every Job and to its pods. Where the pod template
	// sets an annotation of the same key, its value is used instead. Default: none.
	// Immutable.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Summary is the part of the status that JobFlow and DaemonJob have in common.
type Summary struct {
	// state is Pending, Running, Succeed, Failed, Terminating or Suspended.
	// +optional
	State State `json:"state,omitempty"`

	// message says in one line what is awaited or what went wrong.
	// +optional
	Message string `json:"message,omitempty"`

	// observedGeneration is the metadata.generation that this status was computed
	// from.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// startTime is when the object was first acted on. As on a Job, it is reset when
	// the object is resumed from suspension.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when the object ended, whether Complete or Failed.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// progress is the number of steps or nodes that Succeeded out of all that
	// will run, such as 3/5.
	// +optional
	Progress string `json:"progress,omitempty"`

	// waiting counts the steps or nodes that are Waiting.
	// +optional
	Waiting int32 `json:"waiting,omitempty"`

	// running counts the steps or nodes that are Running.
	// +optional
	Running int32 `json:"running,omitempty"`

	// succeeded counts the steps or nodes that Succeeded.
	// +optional
	Succeeded int32 `json:"succeeded,omitempty"`

	// failed counts the steps or nodes that Failed.
	// +optional
	Failed int32 `json:"failed,omitempty"`

	// skipped counts the steps that will never run because the flow ended without
	// them, or the nodes that were left out for their taints or left the cluster.
	// +optional
	Skipped int32 `json:"skipped,omitempty"`

	// conditions are Complete, Failed and Suspended as on a Job, and Ready and
	// Stalled by the kstatus rules.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// RunStatus is the status of one step of a JobFlow or one node of a DaemonJob.
// Once phase is Succeeded or Failed the entry never changes again, even
// when the Job is deleted.
type RunStatus struct {
	// name is the step's name (JobFlow) or the node's name (DaemonJob).
	Name string `json:"name"`

	// phase is Waiting, Running, Succeeded, Failed or Skipped.
	Phase Phase `json:"phase"`

	// jobName is the name of the Job, in the same namespace. It is set as soon as
	// the Job has been created.
	// +optional
	JobName string `json:"jobName,omitempty"`

	// jobUID is the UID of the Job that was created, so that a later Job of the
	// same name is not mistaken for it.
	// +optional
	JobUID string `json:"jobUID,omitempty"`

	// reason is a CamelCase word that explains the phase. Empty in the normal case.
	// +optional
	Reason string `json:"reason,omitempty"`

	// message says in one line what is awaited or what went wrong. At most 256
	// characters.
	// +optional
	Message string `json:"message,omitempty"`

	// startTime is when the Job was created.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when the Job reached its end, according to its condition.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// attempt counts the Jobs that were created for this step or node, from 1.
	// +optional
	Attempt int32 `json:"attempt,omitempty"`
}
