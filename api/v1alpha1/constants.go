package v1alpha1

// Labels of every Job and pod that the operator makes. A value that would be longer than
// the 63 characters of a label is cut and ends in a hash, by the same rule as a Job's name.
const (
	// KindLabel is JobFlow or DaemonJob. The operator's caches hold only Jobs and
	// pods that have it.
	KindLabel = "api.practice.com/kind"
	// JobFlowLabel is the name of the JobFlow.
	JobFlowLabel = "api.practice.com/jobflow"
	// FlowLabel is the name of the step in its JobFlow.
	FlowLabel = "api.practice.com/flow"
	// DaemonJobLabel is the name of the DaemonJob.
	DaemonJobLabel = "api.practice.com/daemonjob"
	// NodeLabel is the name of the node that the DaemonJob's Job is for.
	NodeLabel = "api.practice.com/node"
)

// Annotations on Jobs made by the operator.
const (
	// RunAnnotation is the full name of the step or node that the Job is for, which
	// a label may be too short to hold.
	RunAnnotation = "api.practice.com/run"
	// JobTemplateAnnotation is the name of the JobTemplate that the Job was made
	// from.
	JobTemplateAnnotation = "api.practice.com/job-template"
	// SuspendedAnnotation marks a Job that was suspended because its JobFlow or
	// DaemonJob is. Only such a Job is resumed with it: a Job that a queue or a person
	// suspended stays suspended.
	SuspendedAnnotation = "api.practice.com/suspended-by-parent"
	// TTLAnnotation holds the ttlSecondsAfterFinished of the Job's template until
	// the result of the Job is recorded in status; only then is it set on the Job.
	// Otherwise a Job that vanished before that would look like one that never ran.
	TTLAnnotation = "api.practice.com/ttl-seconds-after-finished"
	// DeadlineAnnotation marks a Job that was ended because its JobFlow's
	// activeDeadlineSeconds had passed.
	DeadlineAnnotation = "api.practice.com/ended-by-deadline"
	// SettingsAnnotation holds the mutable settings of a DaemonJob that were last
	// applied to the Job, so that changes by others are left alone.
	SettingsAnnotation = "api.practice.com/settings"
)

// Condition types of JobFlow and DaemonJob.
const (
	// ConditionComplete is True once every Job is Complete. As on a Job.
	ConditionComplete = "Complete"
	// ConditionFailed is True once the object has ended without being Complete. As
	// on a Job.
	ConditionFailed = "Failed"
	// ConditionSuspended is True while spec.suspend holds the object. As on a Job.
	ConditionSuspended = "Suspended"
	// ConditionReady is True once the object is Complete, and False before that and if
	// it failed. By the kstatus rules.
	ConditionReady = "Ready"
	// ConditionStalled is True if nothing happens until a person acts: the object failed,
	// or the name of a Job is taken. By the kstatus rules.
	ConditionStalled = "Stalled"
)

// Reasons of events.
const (
	// EventJobCreated is recorded when Jobs were created. Normal.
	EventJobCreated = "JobCreated"
	// EventStepFailed is recorded when a step failed. Warning.
	EventStepFailed = "StepFailed"
	// EventNodeFailed is recorded when a node's Job failed. Warning.
	EventNodeFailed = "NodeFailed"
	// EventWaiting is recorded when a step or node starts to wait for something that
	// a person can fix: a JobTemplate, a name, a quota, an image. Warning.
	EventWaiting = "Waiting"
	// EventCompleted is recorded when the object is Complete. Normal.
	EventCompleted = "Completed"
	// EventFailed is recorded when the object has Failed. Warning.
	EventFailed = "Failed"
	// EventSuspended is recorded when the object is suspended. Normal.
	EventSuspended = "Suspended"
	// EventResumed is recorded when the object is resumed. Normal.
	EventResumed = "Resumed"
)
