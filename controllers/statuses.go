package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

const (
	// resultsWindow is how long results, and what steps wait for, are collected for one
	// write. Steps that end within it cost one write together.
	resultsWindow = 500 * time.Millisecond
	// windowPerRun is added for each step or node, since each write has all of them: about
	// 300 KB for 1,000.
	windowPerRun = time.Millisecond
	// cooldownPerWrite is the pause between two writes of an object, as a multiple of how long
	// the last one took: statuses are written for at most a tenth of the time, however large
	// they are and however slow the API server.
	cooldownPerWrite = 9
	// longestCooldown is the longest such pause.
	longestCooldown = 15 * time.Second
)

// window returns how long a change of status may wait for others. A change of state does
// not wait, nor does a change after the end, which is rare. That a Job was created is recorded
// soon: if the process died and the Job was deleted before that, nothing would show that it
// ever existed.
func window(t *status.Transition) time.Duration {
	if t.StateChanged() || plan.Ended(t.Next) {
		return 0
	}
	wait := time.Duration(t.Runs) * windowPerRun
	if !t.CreatedJob() {
		wait += resultsWindow
	}
	return wait
}

// statuses knows the newest status of every parent of a kind that has not ended, and writes
// it, with its events and metrics. Jobs are created at once, while their status is written in
// the background. See docs/design/status-writes.md.
//
// Planning from a status that is not written is as safe as planning from one that is, since
// only this process writes any. It is lost with the process, as if that had died just before
// the write; a plan that needs a result to be recorded waits for the write
// (plan.Observed.Unrecorded).
type statuses struct {
	kind   string
	client client.Client
	live   client.Reader
	events events.EventRecorder
	// stopwatch is time.Now, which is monotonic however the machine's clock is set.
	stopwatch func() time.Time
	// queue is that of the controller; set when it starts.
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]

	slots      chan struct{} // one for each write in the background
	background sync.WaitGroup
	mu         sync.Mutex
	stopped    bool
	known      map[types.NamespacedName]*statusEntry
}

// statusEntry is what is known about the status of one object.
type statusEntry struct {
	uid types.UID
	// ahead means that desired is newer than the cache; otherwise desired and stored are nil.
	ahead   bool
	desired v1alpha1.ParentStatus
	// stored is the status that the API server has as of version.
	stored  v1alpha1.ParentStatus
	version string
	// changed means that desired is neither stored nor in flight; changedAt since when.
	changed   bool
	changedAt time.Time
	// writing means that a write, of inFlight, is not answered yet.
	writing  bool
	inFlight v1alpha1.ParentStatus
	failed   error // of the last write, until a reconcile returns it
	// missing means that the API server did not find the object when it was written. The cache
	// may be stale.
	missing bool
	// unconfirmed is the status before the first of the writes that failed and may have taken
	// effect; nil if no write is in doubt. Their events and metrics have not been made yet.
	unconfirmed v1alpha1.ParentStatus
	// took is how long the last write took; 0 if it failed.
	took time.Duration
	// ended is when the last write was answered.
	ended time.Time
	// failures is how many writes have failed in a row, conflicts aside.
	failures int
}

func newStatuses(kind string, writer client.Client, live client.Reader, recorder events.EventRecorder, writers int) *statuses {
	return &statuses{
		kind: kind, client: writer, live: live, events: recorder, stopwatch: time.Now,
		slots: make(chan struct{}, max(1, writers)),
		known: map[types.NamespacedName]*statusEntry{},
	}
}

// setup makes the manager wait for writes that are in flight before it releases the lease.
// Their context has ended by then, so that this does not take long.
func (s *statuses) setup(mgr ctrl.Manager) error {
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		<-ctx.Done()
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		s.background.Wait()
		return nil
	}))
}

// Start implements source.Source: the end of a write in the background requeues the object.
func (s *statuses) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	s.queue = queue
	return nil
}

// String names the source in logs.
func (s *statuses) String() string { return "written statuses of " + s.kind }

// refresh replaces the status of an object from the cache by the newest one, if this process
// knows a newer one. unrecorded means that it is not written yet.
func (s *statuses) refresh(object v1alpha1.Parent) (unrecorded bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	if k == nil || !k.ahead {
		return false, nil
	}
	order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), k.version)
	if err != nil {
		return false, fmt.Errorf("comparing versions: %w", err)
	}
	if order >= 0 {
		// The cache may also reveal a write whose response was lost.
		k.stored, k.version = object.GetStatus(), object.GetResourceVersion()
		s.confirm(object, k, k.stored)
		if !k.writing && (!k.changed || equality.Semantic.DeepEqual(k.desired, k.stored)) {
			k.reset()
			return false, nil
		}
	}
	// The version is that of the last write, which was bound to the one before: nothing but
	// the status differs.
	object.SetStatus(k.desired)
	object.SetResourceVersion(k.version)
	return k.changed || k.writing, nil
}

// confirm makes the events and metrics of writes whose response was lost, if the status that
// is shown now proves that one took effect. It is called with mu held.
func (s *statuses) confirm(object v1alpha1.Parent, k *statusEntry, shown v1alpha1.ParentStatus) {
	if k.unconfirmed == nil || k.writing || equality.Semantic.DeepEqual(k.unconfirmed, shown) {
		return
	}
	before := k.unconfirmed
	k.unconfirmed = nil
	s.announce(withStatus(object, object.GetResourceVersion(), shown), before, shown)
}

// announce makes the events and metrics of a status that was written.
func (s *statuses) announce(object v1alpha1.Parent, before, after v1alpha1.ParentStatus) {
	transition := status.Compare(before, after)
	for _, event := range transition.Events() {
		s.events.Eventf(object, nil, event.Type, event.Reason, "Reconcile", "%s", event.Message)
	}
	metrics.Transition(s.kind, transition)
}

// ensure reports whether an object that the cache has exists. If the API server did not find it
// when its status was written, it is asked once more.
func (s *statuses) ensure(ctx context.Context, object v1alpha1.Parent) (bool, error) {
	s.mu.Lock()
	k := s.find(object)
	missing := k != nil && k.missing
	s.mu.Unlock()
	if !missing {
		return true, nil
	}
	live := v1alpha1.NewParent(s.kind)
	if err := s.live.Get(ctx, client.ObjectKeyFromObject(object), live); client.IgnoreNotFound(err) != nil {
		return false, err
	}
	if live.GetUID() != object.GetUID() { // it is empty where nothing was found
		// The watch is about to show that, unless this answer was wrong, too.
		s.queue.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)}, longestBackoff)
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.missing = false
	return true, nil
}

func (k *statusEntry) reset() {
	*k = statusEntry{uid: k.uid, took: k.took, ended: k.ended}
}

func (s *statuses) find(object v1alpha1.Parent) *statusEntry {
	if k, found := s.known[client.ObjectKeyFromObject(object)]; found && k.uid == object.GetUID() {
		return k
	}
	return nil
}

// ended is for an object whose end is in the cache, so that nothing needs to be written.
func (s *statuses) ended(object v1alpha1.Parent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	if k == nil {
		return
	}
	if k.ahead {
		// The cache has no steps of a JobFlow that has ended.
		s.confirm(object, k, k.desired)
	}
	if k.failures > 0 {
		// A change after the end also waits for the backoff.
		s.known[client.ObjectKeyFromObject(object)] = &statusEntry{uid: k.uid, ended: k.ended, failures: k.failures}
		return
	}
	delete(s.known, client.ObjectKeyFromObject(object))
}

// forget is for an object that is gone.
func (s *statuses) forget(object types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, object)
}

// report takes the newest status of an object, and writes it if it changed. A change of state
// is written before report returns, others in the background. One that can wait is kept, and
// wait is the time until it is due. The error may be that of an earlier write in the background.
func (s *statuses) report(ctx context.Context, object v1alpha1.Parent, next v1alpha1.ParentStatus, now time.Time) (wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	if k == nil {
		k = &statusEntry{uid: object.GetUID()}
		s.known[client.ObjectKeyFromObject(object)] = k
	}
	fromCache := !k.ahead
	if fromCache {
		k.ahead, k.stored, k.version = true, object.GetStatus(), object.GetResourceVersion()
	}
	k.desired = next
	last := k.stored
	if k.inFlight != nil {
		last = k.inFlight
	}
	switch differs := !equality.Semantic.DeepEqual(last, next); {
	case !differs:
		k.changed = false
	case !k.changed || k.changedAt.After(now): // the latter if the clock was set back
		k.changed, k.changedAt = true, now
	}
	if err := k.failed; err != nil {
		k.failed = nil
		return 0, err
	}
	if fromCache && !k.changed {
		// The common case: nothing changed.
		k.reset()
		if k.took == 0 {
			delete(s.known, client.ObjectKeyFromObject(object))
		}
		return 0, nil
	}
	if !k.changed || k.writing || s.stopped {
		return 0, nil
	}
	gather := window(status.Compare(k.stored, next))
	if gather > 0 || k.failures > 0 {
		if wait := max(gather-now.Sub(k.changedAt), k.cooldown(s.stopwatch())); wait > 0 {
			return wait, nil
		}
	}
	k.writing = true
	if gather == 0 {
		s.mu.Unlock()
		s.write(ctx, object, k)
		s.mu.Lock()
		err, k.failed = k.failed, nil
		if k.missing {
			return max(k.cooldown(s.stopwatch()), firstBackoff), nil
		}
		return 0, err
	}
	s.background.Go(func() {
		s.slots <- struct{}{}
		s.write(ctx, object, k)
		<-s.slots
		s.queue.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	})
	return 0, nil
}

// cooldown returns how long the next write has to wait, because of how long the last one took,
// or of how many have failed.
func (k *statusEntry) cooldown(now time.Time) time.Duration {
	pause := min(cooldownPerWrite*k.took, longestCooldown)
	if k.failures > 0 {
		const most = 16 // doublings; more than longestBackoff
		pause = max(pause, min(firstBackoff<<min(k.failures-1, most), longestBackoff))
	}
	return pause - now.Sub(k.ended)
}

// write writes the newest status of an object, and then its events and metrics.
func (s *statuses) write(ctx context.Context, object v1alpha1.Parent, k *statusEntry) {
	s.mu.Lock()
	stored, sent, since := k.stored, k.desired, k.changedAt
	k.inFlight, k.changed = sent, false
	read := withStatus(object, k.version, stored)
	s.mu.Unlock()

	// The response is decoded into the object that is sent, which must share nothing with the
	// cache.
	written := withStatus(object, read.GetResourceVersion(), sent).DeepCopyObject().(v1alpha1.Parent)
	began := s.stopwatch()
	gone, err := writeStatus(ctx, s.client, read, written)
	ended := s.stopwatch()

	s.mu.Lock()
	defer s.mu.Unlock()
	k.writing, k.inFlight = false, nil
	k.took, k.ended = 0, ended
	if gone || err != nil {
		k.changed, k.changedAt, k.failed, k.missing = true, since, err, gone
		if !apierrors.IsConflict(err) {
			k.failures++
		}
		if k.unconfirmed == nil {
			k.unconfirmed = stored
		}
		return
	}
	k.took, k.failures, k.unconfirmed = ended.Sub(began), 0, nil
	s.announce(written, stored, sent)
	// The cache may have shown a newer version already, which another client wrote in the meantime.
	if order, err := resourceversion.CompareResourceVersion(k.version, written.GetResourceVersion()); err != nil || order <= 0 {
		k.stored, k.version = written.GetStatus(), written.GetResourceVersion()
	}
	if !k.changed {
		k.desired = k.stored
	}
}

// withStatus returns as much of an object as a patch of its status needs.
func withStatus(object v1alpha1.Parent, version string, as v1alpha1.ParentStatus) v1alpha1.Parent {
	made := v1alpha1.NewParent(object.GetKind())
	made.SetNamespace(object.GetNamespace())
	made.SetName(object.GetName())
	made.SetUID(object.GetUID())
	made.SetResourceVersion(version)
	made.SetStatus(as)
	return made
}
