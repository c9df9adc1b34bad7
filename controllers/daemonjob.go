package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// +kubebuilder:rbac:groups=api.practice.com,resources=daemonjobs,verbs=get;list;watch
// +kubebuilder:rbac:groups=api.practice.com,resources=daemonjobs/status,verbs=patch
// +kubebuilder:rbac:groups=api.practice.com,resources=daemonjobs/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch

// daemonJobs is what makes a parentReconciler that of DaemonJobs.
type daemonJobs struct {
	cached, live client.Reader
}

func (daemonJobs) name() string { return v1alpha1.KindDaemonJob }

func (d daemonJobs) watch(controller *builder.Builder) *builder.Builder {
	return controller.Watches(&corev1.Node{}, enqueueOpen(d.cached, d.name(), selectAll), nodePlacementChanged())
}

func (daemonJobs) validate(parent v1alpha1.Parent, changed bool) field.ErrorList {
	if !changed {
		return nil
	}
	return validation.DaemonJob(parent.(*v1alpha1.DaemonJob))
}

func (d daemonJobs) observe(ctx context.Context, parent v1alpha1.Parent, own plan.Observed) (pass, error) {
	dj := parent.(*v1alpha1.DaemonJob)
	observed := daemonPass{dj: dj, observed: plan.DaemonObserved{Observed: own}}
	// A DaemonJob that has ended gets no more Jobs: nodes do not matter to it.
	if plan.Ended(dj) {
		return observed, nil
	}
	nodes, err := d.nodes(ctx, dj, own)
	if err != nil {
		return nil, err
	}
	observed.observed.Placement = placement.Decide(dj, slices.Collect(maps.Values(nodes)))
	observed.observed.Nodes = sets.KeySet(nodes)
	return observed, nil
}

// daemonPass is one reconcile of a DaemonJob.
type daemonPass struct {
	dj       *v1alpha1.DaemonJob
	observed plan.DaemonObserved
}

func (d daemonPass) plan(now time.Time) plan.Plan { return plan.Daemon(d.dj, d.observed, now) }

func (d daemonPass) status(p *plan.Plan, now time.Time) v1alpha1.ParentStatus {
	next := status.Daemon(d.dj, p, d.observed.Nodes, now)
	return &next
}

// nodes returns the nodes of the cluster by name, from the cache where that does not
// contradict the ledger.
func (d daemonJobs) nodes(ctx context.Context, dj *v1alpha1.DaemonJob, own plan.Observed) (map[string]*corev1.Node, error) {
	list := &corev1.NodeList{}
	if err := d.cached.List(ctx, list, readOnly); err != nil {
		return nil, fmt.Errorf("listing nodes: %w", err)
	}
	nodes := make(map[string]*corev1.Node, len(list.Items))
	for i := range list.Items {
		nodes[list.Items[i].Name] = &list.Items[i]
	}
	for name := range doubtful(dj, own, sets.KeySet(nodes)) {
		node := &corev1.Node{}
		err := d.live.Get(ctx, client.ObjectKey{Name: name}, node)
		switch {
		case err == nil:
			nodes[name] = node
		case apierrors.IsNotFound(err):
			delete(nodes, name)
		default:
			return nil, fmt.Errorf("looking up node %s: %w", name, err)
		}
	}
	return nodes, nil
}

// doubtful returns the nodes for which the cache contradicts the ledger. The cache of a new
// leader may be older than the ledger, so each of these nodes is read live. A node that just
// joined may be missing from the cache: treating it as gone would delete its Job and run it
// again, or end the DaemonJob although the node is recorded as waiting for its Job. A node
// that is recorded as gone may still be in the cache: treating it as returned would run its
// Job once more.
func doubtful(dj *v1alpha1.DaemonJob, own plan.Observed, known sets.Set[string]) sets.Set[string] {
	names := sets.New[string]()
	for name, job := range own.Jobs {
		if !plan.Final(job.Phase) && !known.Has(name) {
			names.Insert(name)
		}
	}
	for i := range dj.Status.Nodes {
		run := &dj.Status.Nodes[i]
		waits := run.Phase == v1alpha1.PhaseWaiting && run.JobUID == ""
		isGone := run.Reason == v1alpha1.ReasonNodeGone
		if known.Has(run.Name) && isGone || !known.Has(run.Name) && waits {
			names.Insert(run.Name)
		}
	}
	return names
}
