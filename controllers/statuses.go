package controllers

import (
	"context"
	"fmt"
	"slices"
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
	// gatherResults is how long results, and what steps wait for, are gathered for one
	// write. Steps that end within it cost one write together.
	gatherResults = 500 * time.Millisecond
	// gatherPerRun is added for each step or node, since each write has all of them:
	// some 300 KB for 1,000.
	gatherPerRun = time.Millisecond
	// restPerWrite is how many times as long as a write took the next one of the same
	// object waits: statuses are written for at most a tenth of the time, however large
	// they are and however slow the API server.
	restPerWrite = 9
	// longestRest is the most that this comes to.
	longestRest = 15 * time.Second
)

// window is how long a change of status may wait for others. A change of state does
// not wait at all, nor does what little changes after the end. That a Job was created is
// to be recorded soon: if the process died and the Job was deleted before that, nothing
// would tell that it ever existed.
func window(before, after v1alpha1.ParentStatus) time.Duration {
	if before.GetSummary().State != after.GetSummary().State || plan.Ended(after) {
		return 0
	}
	wait := time.Duration(len(after.GetRuns())) * gatherPerRun
	if !hasNewJob(before.GetRuns(), after.GetRuns()) {
		wait += gatherResults
	}
	return wait
}

func hasNewJob(before, after []v1alpha1.RunStatus) bool {
	known := make(map[string]string, len(before))
	for i := range before {
		known[before[i].Name] = before[i].JobUID
	}
	return slices.ContainsFunc(after, func(run v1alpha1.RunStatus) bool { return run.JobUID != "" && run.JobUID != known[run.Name] })
}

// statuses knows the newest status of every object of a kind that runs, and writes
// them, with their events and metrics. What waits, waits here: Jobs are created at
// once, while status follows beside that. See docs/design/status-writes.md.
//
// To plan from a status that is not written is as good as to plan from one that is,
// since only this process writes any. It is lost with the process, as if that had died
// just before the write; what may only happen once a result is recorded waits for the
// write (plan.Observed.Unrecorded).
type statuses struct {
	kind   string
	client client.Client
	live   client.Reader
	events events.EventRecorder
	// stopwatch is time.Now, whatever is done to the machine's clock.
	stopwatch func() time.Time
	// queue is that of the controller; set when it starts.
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]

	slots    chan struct{} // one for each write beside reconciles
	inFlight sync.WaitGroup
	mu       sync.Mutex
	stopped  bool
	known    map[types.NamespacedName]*keptStatus
}

// keptStatus is what is known of one object's status.
type keptStatus struct {
	uid types.UID
	// newest is ahead of the cache; where it is not, ahead is false, and the next two
	// are empty.
	ahead  bool
	newest v1alpha1.ParentStatus
	// base is the status that the API server has as of version.
	base    v1alpha1.ParentStatus
	version string
	// changed says that newest is neither what the API server has, nor being written,
	// and since when.
	changed bool
	since   time.Time
	// writing says that a write is under way, of sent.
	writing bool
	sent    v1alpha1.ParentStatus
	failed  error // of the last write, until somebody is told
	// missing says that the API server did not know the object when it was written. What
	// the cache shows may be of the past.
	missing bool
	// unsure is the status before the first of the writes that failed and may have
	// taken effect; nil if there are none. What was new in them is not announced yet.
	unsure v1alpha1.ParentStatus
	// The last write took so long, unless it failed, and ended then; so many have failed
	// one after the other.
	took     time.Duration
	done     time.Time
	failures int
}

func newStatuses(kind string, writer client.Client, live client.Reader, recorder events.EventRecorder, writers int) *statuses {
	return &statuses{
		kind: kind, client: writer, live: live, events: recorder, stopwatch: time.Now,
		slots: make(chan struct{}, max(1, writers)),
		known: map[types.NamespacedName]*keptStatus{},
	}
}

// setup has the manager wait for writes that are under way before it gives up the
// lease. The end of their context makes that short.
func (s *statuses) setup(mgr ctrl.Manager) error {
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		<-ctx.Done()
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		s.inFlight.Wait()
		return nil
	}))
}

// Start implements source.Source: the end of a write beside reconciles brings another.
func (s *statuses) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	s.queue = queue
	return nil
}

// String names the source in logs.
func (s *statuses) String() string { return "written statuses of " + s.kind }

// refresh puts the newest status into an object from the cache, where this process knows
// one that is newer. unrecorded says that it is not written yet.
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
		// Here, too, a write shows that took effect though no answer came.
		k.base, k.version = object.GetStatus(), object.GetResourceVersion()
		s.makeSure(object, k, k.base)
		if !k.writing && (!k.changed || equality.Semantic.DeepEqual(k.newest, k.base)) {
			k.caughtUp()
			return false, nil
		}
	}
	// The version is that of our last write: it was bound to the one before, so that
	// nothing but the status differs.
	object.SetStatus(k.newest)
	object.SetResourceVersion(k.version)
	return k.changed || k.writing, nil
}

// makeSure announces what is new in a status that shows that a write took effect whose
// answer was lost. It is called with mu held.
func (s *statuses) makeSure(object v1alpha1.Parent, k *keptStatus, shown v1alpha1.ParentStatus) {
	if k.unsure == nil || k.writing || equality.Semantic.DeepEqual(k.unsure, shown) {
		return
	}
	before := k.unsure
	k.unsure = nil
	s.announce(withStatus(object, object.GetResourceVersion(), shown), before, shown)
}

// announce makes the events and metrics of a status that was written.
func (s *statuses) announce(object v1alpha1.Parent, before, after v1alpha1.ParentStatus) {
	for _, event := range eventsBetween(before, after) {
		s.events.Eventf(object, nil, event.Type, event.Reason, "Reconcile", "%s", event.Message)
	}
	metrics.Transition(s.kind, before.GetSummary(), after.GetSummary(), before.GetRuns(), after.GetRuns())
}

func eventsBetween(before, after v1alpha1.ParentStatus) []status.Event {
	if flow, ok := after.(*v1alpha1.JobFlowStatus); ok {
		return status.FlowEvents(before.(*v1alpha1.JobFlowStatus), flow)
	}
	return status.DaemonEvents(before.(*v1alpha1.DaemonJobStatus), after.(*v1alpha1.DaemonJobStatus))
}

// ensure says whether an object is there. The cache shows it, but the API server may not
// have known it when its status was written; then it is asked once more.
func (s *statuses) ensure(ctx context.Context, object v1alpha1.Parent) (bool, error) {
	if !s.missing(object) {
		return true, nil
	}
	there, err := s.exists(ctx, object)
	if err != nil {
		return false, err
	}
	if !there {
		// The watch will tell, unless this answer was wrong, too.
		s.queue.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)}, longestBackoff)
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.find(object); k != nil {
		k.missing = false
	}
	return true, nil
}

// exists asks the API server whether the object is there.
func (s *statuses) exists(ctx context.Context, object v1alpha1.Parent) (bool, error) {
	newest := v1alpha1.NewParent(s.kind)
	if err := s.live.Get(ctx, client.ObjectKeyFromObject(object), newest); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return newest.GetUID() == object.GetUID(), nil
}

func (s *statuses) missing(object v1alpha1.Parent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	return k != nil && k.missing
}

func (k *keptStatus) caughtUp() {
	*k = keptStatus{uid: k.uid, took: k.took, done: k.done}
}

func (s *statuses) find(object v1alpha1.Parent) *keptStatus {
	if k, found := s.known[client.ObjectKeyFromObject(object)]; found && k.uid == object.GetUID() {
		return k
	}
	return nil
}

// ended is for an object whose end the cache shows: that stands as it was written.
func (s *statuses) ended(object v1alpha1.Parent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	if k == nil {
		return
	}
	if k.ahead {
		// The cache has no steps of a JobFlow that has ended.
		s.makeSure(object, k, k.newest)
	}
	if k.failures > 0 {
		// A change after the end, too, waits for how often the last has failed.
		s.known[client.ObjectKeyFromObject(object)] = &keptStatus{uid: k.uid, done: k.done, failures: k.failures}
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

// report takes the newest status of an object, and has it written if it changed. A
// change that can wait is kept, and wait says for how long; one of state is written
// before report returns, others beside what comes next. What became of a write that
// was begun before is told by the error.
func (s *statuses) report(ctx context.Context, object v1alpha1.Parent, next v1alpha1.ParentStatus, now time.Time) (wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	if k == nil {
		k = &keptStatus{uid: object.GetUID()}
		s.known[client.ObjectKeyFromObject(object)] = k
	}
	fromCache := !k.ahead
	if fromCache {
		k.ahead, k.base, k.version = true, object.GetStatus(), object.GetResourceVersion()
	}
	k.newest = next
	last := k.base
	if k.sent != nil {
		last = k.sent
	}
	switch differs := !equality.Semantic.DeepEqual(last, next); {
	case !differs:
		k.changed = false
	case !k.changed || k.since.After(now): // the latter where the clock was set back
		k.changed, k.since = true, now
	}
	if err := k.failed; err != nil {
		k.failed = nil
		return 0, err
	}
	if fromCache && !k.changed {
		// As in most looks at what rests.
		k.caughtUp()
		if k.took == 0 {
			delete(s.known, client.ObjectKeyFromObject(object))
		}
		return 0, nil
	}
	if !k.changed || k.writing || s.stopped {
		return 0, nil
	}
	gather := window(k.base, next)
	if gather > 0 || k.failures > 0 {
		if wait := max(gather-now.Sub(k.since), k.rest(s.stopwatch())); wait > 0 {
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
			return max(k.rest(s.stopwatch()), firstBackoff), nil
		}
		return 0, err
	}
	s.inFlight.Go(func() {
		s.slots <- struct{}{}
		s.write(ctx, object, k)
		<-s.slots
		s.queue.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	})
	return 0, nil
}

// rest is how long the next write has to wait for what the last one took, or for how
// often it has failed.
func (k *keptStatus) rest(now time.Time) time.Duration {
	rest := min(restPerWrite*k.took, longestRest)
	if k.failures > 0 {
		const most = 16 // doublings; more than longestBackoff
		rest = max(rest, min(firstBackoff<<min(k.failures-1, most), longestBackoff))
	}
	return rest - now.Sub(k.done)
}

// write writes the newest status of an object, and then its events and metrics.
func (s *statuses) write(ctx context.Context, object v1alpha1.Parent, k *keptStatus) {
	s.mu.Lock()
	base, sent, since := k.base, k.newest, k.since
	k.sent, k.changed = sent, false
	read := withStatus(object, k.version, base)
	s.mu.Unlock()

	// The answer is decoded into what is sent, which must share nothing with the cache.
	written := withStatus(object, read.GetResourceVersion(), sent).DeepCopyObject().(v1alpha1.Parent)
	began := s.stopwatch()
	gone, err := writeStatus(ctx, s.client, read, written)
	done := s.stopwatch()

	s.mu.Lock()
	defer s.mu.Unlock()
	k.writing, k.sent = false, nil
	k.took, k.done = 0, done
	if gone || err != nil {
		k.changed, k.since, k.failed, k.missing = true, since, err, gone
		if !apierrors.IsConflict(err) {
			k.failures++
		}
		if k.unsure == nil {
			k.unsure = base
		}
		return
	}
	k.took, k.failures, k.unsure = done.Sub(began), 0, nil
	s.announce(written, base, sent)
	// The cache may have shown it already, with what somebody else changed since.
	if order, err := resourceversion.CompareResourceVersion(k.version, written.GetResourceVersion()); err != nil || order <= 0 {
		k.base, k.version = written.GetStatus(), written.GetResourceVersion()
	}
	if !k.changed {
		k.newest = k.base
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
