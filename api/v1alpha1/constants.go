package v1alpha1

// Labels that every Job and pod made by the operator carries. A value that would
// be longer than the 63 characters of a label is cut and ends in a hash, by the
// same rule as a Job's name.
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
	// DaemonJob is. Only such a Job is resumed with it: one that a queue or a person
	// suspended stays suspended.
	SuspendedAnnotation = "api.practice.com/suspended-by-parent"
	// TTLAnnotation holds the ttlSecondsAfterFinished of the Job's template until
	// the result of the Job is recorded in status; only then is it set on the Job.
	// A Job that vanished before that could not be told from one that never ran.
	TTLAnnotation = "api.practice.com/ttl-seconds-after-finished"
	// DeadlineAnnotation marks a Job that was ended because its JobFlow's
	// activeDeadlineSeconds had passed.
	DeadlineAnnotation = "api.practice.com/ended-by-deadline"
	// SettingsAnnotation holds the mutable settings of a DaemonJob that were last
	// carried over to the Job, so that what others change on the Job is left alone.
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
	// ConditionReady is True once the object is Complete, and False before and when
	// it failed. By the kstatus rules.
	ConditionReady = "Ready"
	// ConditionStalled is True when nothing goes on until somebody acts: the object
	// failed, or the name of a Job is taken. By the kstatus rules.
	ConditionStalled = "Stalled"
)

// Reasons of conditions.
const (
	// ReasonInvalidSpec means that the spec breaks a rule that admission would have
	// refused; message names the field. No Job is created.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonStepFailed means that a step's Job failed.
	ReasonStepFailed = "StepFailed"
	// ReasonNodeFailed means that a node's Job failed.
	ReasonNodeFailed = "NodeFailed"
	// ReasonDeadlineExceeded means that activeDeadlineSeconds passed.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonCompleted means that every Job is Complete.
	ReasonCompleted = "Completed"
	// ReasonRunning means that Jobs run.
	ReasonRunning = "Running"
	// ReasonPending means that no Job has been created yet.
	ReasonPending = "Pending"
	// ReasonNoEligibleNode means that a DaemonJob has no node to run on.
	ReasonNoEligibleNode = "NoEligibleNode"
	// ReasonTerminating means that the object is being deleted.
	ReasonTerminating = "Terminating"
	// ReasonSuspended means that spec.suspend is true; also the reason of a step or
	// node that waits for that.
	ReasonSuspended = "Suspended"
	// ReasonResumed means that spec.suspend was true and no longer is.
	ReasonResumed = "Resumed"
)

// Reasons of a step or node that is Waiting. ReasonSuspended is one too.
const (
	// ReasonDependency means that a step that it depends on is not Complete yet.
	ReasonDependency = "Dependency"
	// ReasonParallelism means that as many Jobs run as spec.parallelism allows.
	ReasonParallelism = "Parallelism"
	// ReasonJobTemplateMissing means that there is no JobTemplate of the name in
	// jobTemplateRef.
	ReasonJobTemplateMissing = "JobTemplateMissing"
	// ReasonInvalidJobTemplate means that the Job that the JobTemplate gives is
	// refused; it is tried again when the JobTemplate changes.
	ReasonInvalidJobTemplate = "InvalidJobTemplate"
	// ReasonNameConflict means that a Job of the name exists that belongs to
	// something else. It is tried again.
	ReasonNameConflict = "NameConflict"
	// ReasonCreateFailed means that the API server did not take the Job now, for
	// example for a quota. It is tried again.
	ReasonCreateFailed = "CreateFailed"
	// ReasonQueued means that the Job exists and its own spec.suspend is true, as
	// queueing systems set it.
	ReasonQueued = "Queued"
	// ReasonUnschedulable means that the scheduler finds no node for the pod.
	ReasonUnschedulable = "Unschedulable"
	// ReasonImagePull means that an image cannot be pulled.
	ReasonImagePull = "ImagePull"
	// ReasonContainerConfig means that a container cannot be created, for example
	// for a ConfigMap or Secret that is missing.
	ReasonContainerConfig = "ContainerConfig"
)

// Reasons of a step or node that is Failed, beside those that the Job's own
// Failed condition gives (BackoffLimitExceeded, DeadlineExceeded, ...).
const (
	// ReasonJobDeleted means that the Job was deleted before it had ended.
	ReasonJobDeleted = "JobDeleted"
	// ReasonJobRejected means that the API server refused the Job as invalid.
	ReasonJobRejected = "JobRejected"
)

// Reasons of a step or node that is Skipped. ReasonDeadlineExceeded is one too.
const (
	// ReasonDependencyFailed means that a step that it depends on, directly or not,
	// failed.
	ReasonDependencyFailed = "DependencyFailed"
	// ReasonFlowFailed means that another step failed before this one could start.
	ReasonFlowFailed = "FlowFailed"
	// ReasonUntoleratedTaint means that the node has a taint that the pod template
	// does not tolerate.
	ReasonUntoleratedTaint = "UntoleratedTaint"
	// ReasonNodeGone means that the node left the cluster before its Job ended.
	ReasonNodeGone = "NodeGone"
)

// Reasons of the condition Upgradeable, which OLM reads in the OperatorCondition.
const (
	// ReasonNotHeld means that upgrades are not to wait for anything.
	ReasonNotHeld = "NotHeld"
	// ReasonNothingRuns means that upgrades are held while something runs, and that
	// nothing does.
	ReasonNothingRuns = "NothingRuns"
	// ReasonFlowsRunning means that upgrades wait for the JobFlows and DaemonJobs
	// that are Running.
	ReasonFlowsRunning = "FlowsRunning"
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
	// a person can mend: a JobTemplate, a name, a quota, an image. Warning.
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
