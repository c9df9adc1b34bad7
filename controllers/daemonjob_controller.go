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
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
	"github.com/jobflow-operator/jobflow-operator/internal/placement"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// +kubebuilder:rbac:groups=api.practice.com,resources=daemonjobs,verbs=get;list;watch
// +kubebuilder:rbac:groups=api.practice.com,resources=daemonjobs/status,verbs=patch
// +kubebuilder:rbac:groups=api.practice.com,resources=daemonjobs/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch

type daemonJobReconciler struct {
	client   client.Client
	children *childJobs
	fresh    *freshness[v1alpha1.DaemonJob, *v1alpha1.DaemonJob]
	statuses *statuses[v1alpha1.DaemonJobStatus, v1alpha1.DaemonJob, *v1alpha1.DaemonJob]
	pace     *pace
	now      func() time.Time
}

func newDaemonJobReconciler(mgr ctrl.Manager, children *childJobs, recorder events.EventRecorder, options Options) *daemonJobReconciler {
	return &daemonJobReconciler{
		client:   mgr.GetClient(),
		children: children,
		fresh:    newFreshness[v1alpha1.DaemonJob](mgr.GetAPIReader(), &v1alpha1.DaemonJobList{}),
		statuses: newStatuses(daemonStatuses, mgr.GetClient(), recorder, options.Workers),
		pace:     newPace(),
		now:      options.Now,
	}
}

func (r *daemonJobReconciler) setup(mgr ctrl.Manager, options controller.Options) error {
	if err := r.statuses.setup(mgr); err != nil {
		return err
	}
	return watchJobsAndPods[*v1alpha1.DaemonJob](mgr, options, &v1alpha1.DaemonJob{}, r.children).
		WatchesRawSource(r.statuses).
		Watches(&corev1.Node{}, openDaemonJobs(mgr.GetClient()), nodePlacementChanged()).
		Complete(counted{r, metrics.DaemonJob})
}

// Reconcile brings one DaemonJob a step further: observe, plan, apply, report.
func (r *daemonJobReconciler) Reconcile(ctx context.Context, req ctrl.Request) (result ctrl.Result, err error) {
	defer func() {
		if err != nil {
			r.pace.forget(req.NamespacedName) // backoff says when to look again
			dueDespite(r.statuses.queue, req, &result)
		}
	}()
	began, now := time.Now(), r.now()
	if wait := r.pace.wait(req.NamespacedName, began); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	dj, unrecorded, err := r.get(ctx, req)
	if dj == nil || err != nil {
		return ctrl.Result{}, err
	}
	if dj.DeletionTimestamp != nil {
		// The garbage collector deletes the Jobs, and their pods with them.
		r.children.recent.forget(dj.UID)
		wait, err := r.statuses.report(ctx, dj, status.TerminatingDaemon(dj, now), now)
		return settle(ctrl.Result{RequeueAfter: wait}, err)
	}
	if mayBeInvalid(dj.Generation, &dj.Status.Summary) {
		if errs := validation.DaemonJob(dj); len(errs) > 0 {
			wait, err := r.statuses.report(ctx, dj, status.InvalidDaemon(dj, errs, now), now)
			return settle(ctrl.Result{RequeueAfter: wait}, err)
		}
	}

	seen, err := r.observe(ctx, dj, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	seen.Unrecorded = unrecorded
	p := plan.Daemon(dj, seen, now)
	r.pace.looked(req.NamespacedName, began, time.Now())
	applied := r.children.apply(ctx, dj, &p, now)
	wait, reported := r.statuses.report(ctx, dj, status.Daemon(dj, &p, seen.Nodes, now), now)
	p.WakeAfter(wait)
	return settle(r.children.lookAgain(dj, &p), applied, reported)
}

// get is the DaemonJob with the newest status there is, or nil if there is nothing to do
// now. unrecorded says that this status is not written yet.
func (r *daemonJobReconciler) get(ctx context.Context, req ctrl.Request) (_ *v1alpha1.DaemonJob, unrecorded bool, err error) {
	dj := &v1alpha1.DaemonJob{}
	if err := r.client.Get(ctx, req.NamespacedName, dj, readOnly); err != nil {
		if apierrors.IsNotFound(err) {
			r.fresh.forget(req.NamespacedName)
			r.statuses.forget(req.NamespacedName)
			r.pace.forget(req.NamespacedName)
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("reading DaemonJob: %w", err)
	}
	// What has ended has everything recorded, however old it is.
	if plan.Ended(&dj.Status.Summary) {
		r.statuses.ended(dj)
		return dj, false, nil
	}
	if current, err := r.fresh.ensure(ctx, dj); !current || err != nil {
		return nil, false, err
	}
	if there, err := r.statuses.ensure(ctx, dj, r.fresh); !there || err != nil {
		return nil, false, err
	}
	unrecorded, err = r.statuses.refresh(dj)
	return dj, unrecorded, err
}

func (r *daemonJobReconciler) observe(ctx context.Context, dj *v1alpha1.DaemonJob, now time.Time) (plan.DaemonObserved, error) {
	own, err := r.children.observe(ctx, dj, dj.Status.Nodes, now)
	if err != nil {
		return plan.DaemonObserved{}, err
	}
	// What has ended gets no more Jobs: nodes do not matter to it.
	if plan.Ended(&dj.Status.Summary) {
		return plan.DaemonObserved{Observed: own}, nil
	}
	list := &corev1.NodeList{}
	if err := r.client.List(ctx, list, readOnly); err != nil {
		return plan.DaemonObserved{}, fmt.Errorf("listing nodes: %w", err)
	}
	nodes := make(map[string]*corev1.Node, len(list.Items))
	for i := range list.Items {
		nodes[list.Items[i].Name] = &list.Items[i]
	}
	for name := range doubtful(dj, own, sets.KeySet(nodes)) {
		node := &corev1.Node{}
		err := r.children.live.Get(ctx, client.ObjectKey{Name: name}, node)
		switch {
		case err == nil:
			nodes[name] = node
		case apierrors.IsNotFound(err):
			delete(nodes, name)
		default:
			return plan.DaemonObserved{}, fmt.Errorf("looking up node %s: %w", name, err)
		}
	}
	return plan.DaemonObserved{
		Observed:  own,
		Placement: placement.Decide(dj, slices.Collect(maps.Values(nodes))),
		Nodes:     sets.KeySet(nodes),
	}, nil
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
