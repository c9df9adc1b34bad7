package v1alpha1

// The reasons that the operator gives in conditions, and for steps and nodes. What each
// means, and what follows from it, is in the table below; a new reason is a constant here
// and a row there.
const (
	ReasonCompleted        = "Completed"
	ReasonRunning          = "Running"
	ReasonPending          = "Pending"
	ReasonNoEligibleNode   = "NoEligibleNode"
	ReasonSuspended        = "Suspended"
	ReasonResumed          = "Resumed"
	ReasonTerminating      = "Terminating"
	ReasonStepFailed       = "StepFailed"
	ReasonNodeFailed       = "NodeFailed"
	ReasonDeadlineExceeded = "DeadlineExceeded"
	ReasonInvalidSpec      = "InvalidSpec"

	ReasonDependency         = "Dependency"
	ReasonParallelism        = "Parallelism"
	ReasonJobTemplateMissing = "JobTemplateMissing"
	ReasonInvalidJobTemplate = "InvalidJobTemplate"
	ReasonNameConflict       = "NameConflict"
	ReasonCreateFailed       = "CreateFailed"
	ReasonQueued             = "Queued"
	ReasonUnschedulable      = "Unschedulable"
	ReasonImagePull          = "ImagePull"
	ReasonContainerConfig    = "ContainerConfig"
	ReasonNodeGone           = "NodeGone"

	ReasonJobDeleted  = "JobDeleted"
	ReasonJobRejected = "JobRejected"

	ReasonDependencyFailed = "DependencyFailed"
	ReasonFlowFailed       = "FlowFailed"
	ReasonUntoleratedTaint = "UntoleratedTaint"

	ReasonNotHeld      = "NotHeld"
	ReasonNothingRuns  = "NothingRuns"
	ReasonFlowsRunning = "FlowsRunning"
)

// Reason is a row of the table of reasons: what a reason means, and what follows from it
// for status, events, metrics and the documentation.
// +kubebuilder:object:generate=false
type Reason struct {
	// Name is the word in the status.
	Name string
	// Places are where the word appears. The status reference explains it in the section of
	// the first one.
	Places []Place
	// Actor is who has to act until what waits goes on.
	Actor Actor
	// Stalls marks a reason for which the object gets the condition Stalled while nothing
	// else of it runs: only a person can end it.
	Stalls bool
	// Warns marks a reason that is worth a Warning event when a step or node starts to wait
	// for it.
	Warns bool
	// Rank is the order in which one reason is chosen if the pods of a Job wait for
	// several: first what stays until it is fixed. 0 if no pod waits for it.
	Rank int
	// Meaning and Advice are the texts of the documentation, in Markdown.
	Meaning, Advice string
}

// Place is a kind of entry in a status that has a reason.
type Place string

// The places of reasons.
const (
	PlaceCondition   Place = "condition"
	PlaceWaiting     Place = "waiting"
	PlaceFailed      Place = "failed"
	PlaceSkipped     Place = "skipped"
	PlaceUpgradeable Place = "upgradeable"
)

// Actor is who has to act until a step, a node or an object goes on.
type Actor string

// The actors.
const (
	// ActorOperator starts what waits in its turn, without help.
	ActorOperator Actor = "the operator"
	// ActorQueue is a queueing system, which may take its time.
	ActorQueue Actor = "a queue"
	// ActorKubernetes is the cluster's own controllers.
	ActorKubernetes Actor = "Kubernetes"
	// ActorPerson is whoever runs the object or the cluster.
	ActorPerson Actor = "a person"
)

// Reasons is the table of all reasons, in the order of the status reference, which is
// generated from it.
var Reasons = []Reason{
	{Name: ReasonCompleted, Places: []Place{PlaceCondition}, Meaning: "Every Job is Complete."},
	{Name: ReasonRunning, Places: []Place{PlaceCondition}, Meaning: "At least one Job has been created, and the end is not reached."},
	{Name: ReasonPending, Places: []Place{PlaceCondition},
		Meaning: "No Job has been created yet.",
		Advice:  "Read the message."},
	{Name: ReasonNoEligibleNode, Places: []Place{PlaceCondition}, Actor: ActorPerson,
		Meaning: "A DaemonJob has no node to run on.",
		Advice:  "Check the node selector, the affinity, the tolerations and `excludeNodeList`. The DaemonJob starts by itself when a node appears that fits."},
	{Name: ReasonSuspended, Places: []Place{PlaceCondition, PlaceWaiting}, Actor: ActorOperator,
		Meaning: "`spec.suspend` is true.",
		Advice:  "Set it to false to go on."},
	{Name: ReasonResumed, Places: []Place{PlaceCondition}, Meaning: "`spec.suspend` was true and no longer is."},
	{Name: ReasonTerminating, Places: []Place{PlaceCondition}, Meaning: "The object is being deleted."},
	{Name: ReasonStepFailed, Places: []Place{PlaceCondition},
		Meaning: "A step failed. The message names it.",
		Advice:  "`kubectl logs job/JOB`."},
	{Name: ReasonNodeFailed, Places: []Place{PlaceCondition},
		Meaning: "A node's Job failed. The message names the node.",
		Advice:  "`kubectl logs job/JOB`."},
	{Name: ReasonDeadlineExceeded, Places: []Place{PlaceCondition, PlaceFailed, PlaceSkipped}, Meaning: "`activeDeadlineSeconds` passed."},
	{Name: ReasonInvalidSpec, Places: []Place{PlaceCondition}, Actor: ActorPerson,
		Meaning: "The spec breaks a rule that admission would have enforced (the webhooks were off). The message names the field. The state is Failed, and no Job is created.",
		Advice:  "If the field may change, fix it and the object goes on. Otherwise delete the object and create it again."},

	{Name: ReasonDependency, Places: []Place{PlaceWaiting}, Actor: ActorOperator, Meaning: "A step that this one depends on is not Complete yet."},
	{Name: ReasonParallelism, Places: []Place{PlaceWaiting}, Actor: ActorOperator,
		Meaning: "As many Jobs run as `spec.parallelism` allows.",
		Advice:  "Wait, or raise it."},
	{Name: ReasonJobTemplateMissing, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Warns: true,
		Meaning: "The JobTemplate that `jobTemplateRef` names does not exist.",
		Advice:  "Create it in the namespace of the JobFlow; the step starts by itself."},
	{Name: ReasonInvalidJobTemplate, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Warns: true,
		Meaning: "The JobTemplate gives a Job that is invalid.",
		Advice:  "Edit the JobTemplate; the message says what is wrong with its Job. It is tried again after each change."},
	{Name: ReasonNameConflict, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Stalls: true, Warns: true,
		Meaning: "A Job of the same name exists that the operator did not create for this step or node. The operator never touches it.",
		Advice:  "Delete the Job that the message names, if it can go. Then the step or node starts by itself."},
	{Name: ReasonCreateFailed, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Warns: true,
		Meaning: "The API server did not accept the Job now, for example because of a quota.",
		Advice: "Read the message, which is the API server's. A quota: `kubectl describe resourcequota --namespace NAMESPACE`. " +
			"A webhook: fix it, or what it objects to. Then the step or node starts by itself."},
	{Name: ReasonQueued, Places: []Place{PlaceWaiting}, Actor: ActorQueue, Rank: 4, Meaning: "The Job exists, and something other than its JobFlow or DaemonJob holds it, for example a queueing system."},
	{Name: ReasonUnschedulable, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Warns: true, Rank: 3,
		Meaning: "The scheduler finds no node for the pod. The message is the scheduler's.",
		Advice: "`kubectl describe pods --namespace NAMESPACE --selector job-name=JOB`: " +
			"no node has room, or none that its selector, affinity and tolerations allow."},
	{Name: ReasonImagePull, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Warns: true, Rank: 1,
		Meaning: "An image cannot be pulled.",
		Advice:  "Check the image's name, the registry and the pull secret."},
	{Name: ReasonContainerConfig, Places: []Place{PlaceWaiting}, Actor: ActorPerson, Warns: true, Rank: 2,
		Meaning: "A container cannot be created, for example because a ConfigMap or Secret is missing.",
		Advice:  "Create the ConfigMap, Secret or key that the message names; the kubelet tries again by itself."},
	{Name: ReasonNodeGone, Places: []Place{PlaceWaiting, PlaceSkipped}, Actor: ActorKubernetes,
		Meaning: "The node left the cluster before its Job had ended. If the node is back, it waits until that Job is deleted.",
		Advice:  "If the deletion takes long, `kubectl get job JOB --namespace NAMESPACE --output yaml` shows the finalizer that holds the Job."},

	{Name: ReasonJobDeleted, Places: []Place{PlaceFailed}, Meaning: "The Job was deleted before it had ended. It is not run a second time."},
	{Name: ReasonJobRejected, Places: []Place{PlaceFailed}, Meaning: "The API server refused the Job as invalid. The message is the API server's."},

	{Name: ReasonDependencyFailed, Places: []Place{PlaceSkipped}, Meaning: "A step that this one depends on, directly or not, failed."},
	{Name: ReasonFlowFailed, Places: []Place{PlaceSkipped}, Meaning: "Another step failed before this one could start."},
	{Name: ReasonUntoleratedTaint, Places: []Place{PlaceSkipped}, Meaning: "The node has a taint that the pod template does not tolerate."},

	{Name: ReasonNotHeld, Places: []Place{PlaceUpgradeable}, Meaning: "True: `--hold-upgrades` is not set."},
	{Name: ReasonNothingRuns, Places: []Place{PlaceUpgradeable}, Meaning: "True: upgrades wait while something runs, and nothing does."},
	{Name: ReasonFlowsRunning, Places: []Place{PlaceUpgradeable},
		Meaning: "False: JobFlows or DaemonJobs are Running. The message counts them.",
		Advice:  "Wait until they end, suspend them, or override the condition."},
}

// Blocks reports whether what waits for this actor may never go on. If nothing else runs,
// its object counts as stalled in the metrics.
func (a Actor) Blocks() bool { return a == ActorPerson || a == ActorKubernetes }

// LookUpReason returns the row of a reason. A word that is not in the table, for example
// one that a later version of the operator wrote, is taken for one that a person has to
// act on.
func LookUpReason(name string) Reason {
	for i := range Reasons {
		if Reasons[i].Name == name {
			return Reasons[i]
		}
	}
	return Reason{Name: name, Actor: ActorPerson, Warns: true}
}
