package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
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
func window(t *status.Transition) time.Duration {
	if t.StateChanged() || plan.Ended(t.Next) {
		return 0
	}
	wait := time.Duration(t.Runs) * gatherPerRun
	if !t.CreatedJob() {
		wait += gatherResults
	}
	return wait
}

// statusKind is what the statuses of JobFlows and DaemonJobs differ in.
type statusKind[S any, P client.Object] struct {
	name       string // as metrics have it
	status     func(P) *S
	transition func(before, after *S) *status.Transition
}

var (
	flowStatuses = statusKind[v1alpha1.JobFlowStatus, *v1alpha1.JobFlow]{
		name:       metrics.JobFlow,
		status:     func(flow *v1alpha1.JobFlow) *v1alpha1.JobFlowStatus { return &flow.Status },
		transition: status.FlowTransition,
	}
	daemonStatuses = statusKind[v1alpha1.DaemonJobStatus, *v1alpha1.DaemonJob]{
		name:       metrics.DaemonJob,
		status:     func(dj *v1alpha1.DaemonJob) *v1alpha1.DaemonJobStatus { return &dj.Status },
		transition: status.DaemonTransition,
	}
)

// statuses knows the newest status of every object of a kind that runs, and writes
// them, with their events and metrics. What waits, waits here: Jobs are created at
// once, while status follows beside that. See docs/design/status-writes.md.
//
// To plan from a status that is not written is as good as to plan from one that is,
// since only this process writes any. It is lost with the process, as if that had died
// just before the write; what may only happen once a result is recorded waits for the
// write (plan.Observed.Unrecorded).
type statuses[S any, T any, P object[T]] struct {
	kind   statusKind[S, P]
	client client.Client
	events events.EventRecorder
	// stopwatch is time.Now, whatever is done to the machine's clock.
	stopwatch func() time.Time
	// queue is that of the controller; set when it starts.
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]

	slots    chan struct{} // one for each write beside reconciles
	inFlight sync.WaitGroup
	mu       sync.Mutex
	stopped  bool
	known    map[types.NamespacedName]*keptStatus[S]
}

// keptStatus is what is known of one object's status.
type keptStatus[S any] struct {
	uid types.UID
	// newest is ahead of the cache; where it is not, ahead is false, and the next two
	// are empty.
	ahead  bool
	newest S
	// base is the status that the API server has as of version.
	base    S
	version string
	// changed says that newest is neither what the API server has, nor being written,
	// and since when.
	changed bool
	since   time.Time
	// writing says that a write is under way, of sent.
	writing bool
	sent    *S
	failed  error // of the last write, until somebody is told
	// missing says that the API server did not know the object when it was written. What
	// the cache shows may be of the past.
	missing bool
	// unsure is the status before the first of the writes that failed and may have
	// taken effect; nil if there are none. What was new in them is not announced yet.
	unsure *S
	// The last write took so long, unless it failed, and ended then; so many have failed
	// one after the other.
	took     time.Duration
	done     time.Time
	failures int
}

func newStatuses[S any, T any, P object[T]](kind statusKind[S, P], writer client.Client, recorder events.EventRecorder, writers int) *statuses[S, T, P] {
	return &statuses[S, T, P]{
		kind: kind, client: writer, events: recorder, stopwatch: time.Now,
		slots: make(chan struct{}, max(1, writers)),
		known: map[types.NamespacedName]*keptStatus[S]{},
	}
}

// setup has the manager wait for writes that are under way before it gives up the
// lease. The end of their context makes that short.
func (s *statuses[S, T, P]) setup(mgr ctrl.Manager) error {
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
func (s *statuses[S, T, P]) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	s.queue = queue
	return nil
}

// String names the source in logs.
func (s *statuses[S, T, P]) String() string { return "written statuses of " + s.kind.name }

// refresh puts the newest status into an object from the cache, where this process knows
// one that is newer. unrecorded says that it is not written yet.
func (s *statuses[S, T, P]) refresh(object P) (unrecorded bool, err error) {
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
		k.base, k.version = *s.kind.status(object), object.GetResourceVersion()
		s.makeSure(object, k, &k.base)
		if !k.writing && (!k.changed || equality.Semantic.DeepEqual(k.newest, k.base)) {
			k.caughtUp()
			return false, nil
		}
	}
	// The version is that of our last write: it was bound to the one before, so that
	// nothing but the status differs.
	*s.kind.status(object) = k.newest
	object.SetResourceVersion(k.version)
	return k.changed || k.writing, nil
}

// makeSure announces what is new in a status that shows that a write took effect whose
// answer was lost. It is called with mu held.
func (s *statuses[S, T, P]) makeSure(object P, k *keptStatus[S], shown *S) {
	if k.unsure == nil || k.writing || equality.Semantic.DeepEqual(*k.unsure, *shown) {
		return
	}
	before, after := *k.unsure, *shown
	k.unsure = nil
	s.announce(s.withStatus(object, object.GetResourceVersion(), after), &before, &after)
}

// announce makes the events and metrics of a status that was written.
func (s *statuses[S, T, P]) announce(object P, before, after *S) {
	transition := s.kind.transition(before, after)
	record(s.events, object, transition.Events())
	metrics.Transition(s.kind.name, transition)
}

// ensure says whether an object is there. The cache shows it, but the API server may not
// have known it when its status was written; then it is asked once more.
func (s *statuses[S, T, P]) ensure(ctx context.Context, object P, fresh *freshness[T, P]) (bool, error) {
	if !s.missing(object) {
		return true, nil
	}
	there, err := fresh.exists(ctx, object)
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

func (s *statuses[S, T, P]) missing(object P) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	return k != nil && k.missing
}

func (k *keptStatus[S]) caughtUp() {
	*k = keptStatus[S]{uid: k.uid, took: k.took, done: k.done}
}

func (s *statuses[S, T, P]) find(object P) *keptStatus[S] {
	if k, found := s.known[client.ObjectKeyFromObject(object)]; found && k.uid == object.GetUID() {
		return k
	}
	return nil
}

// ended is for an object whose end the cache shows: that stands as it was written.
func (s *statuses[S, T, P]) ended(object P) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	if k == nil {
		return
	}
	if k.ahead {
		// The cache has no steps of a JobFlow that has ended.
		s.makeSure(object, k, &k.newest)
	}
	if k.failures > 0 {
		// A change after the end, too, waits for how often the last has failed.
		s.known[client.ObjectKeyFromObject(object)] = &keptStatus[S]{uid: k.uid, done: k.done, failures: k.failures}
		return
	}
	delete(s.known, client.ObjectKeyFromObject(object))
}

// forget is for an object that is gone.
func (s *statuses[S, T, P]) forget(object types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, object)
}

// report takes the newest status of an object, and has it written if it changed. A
// change that can wait is kept, and wait says for how long; one of state is written
// before report returns, others beside what comes next. What became of a write that
// was begun before is told by the error.
func (s *statuses[S, T, P]) report(ctx context.Context, object P, next S, now time.Time) (wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(object)
	if k == nil {
		k = &keptStatus[S]{uid: object.GetUID()}
		s.known[client.ObjectKeyFromObject(object)] = k
	}
	fromCache := !k.ahead
	if fromCache {
		k.ahead, k.base, k.version = true, *s.kind.status(object), object.GetResourceVersion()
	}
	k.newest = next
	last := &k.base
	if k.sent != nil {
		last = k.sent
	}
	switch differs := !equality.Semantic.DeepEqual(*last, next); {
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
	gather := window(s.kind.transition(&k.base, &next))
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
func (k *keptStatus[S]) rest(now time.Time) time.Duration {
	rest := min(restPerWrite*k.took, longestRest)
	if k.failures > 0 {
		const most = 16 // doublings; more than longestBackoff
		rest = max(rest, min(firstBackoff<<min(k.failures-1, most), longestBackoff))
	}
	return rest - now.Sub(k.done)
}

// write writes the newest status of an object, and then its events and metrics.
func (s *statuses[S, T, P]) write(ctx context.Context, object P, k *keptStatus[S]) {
	s.mu.Lock()
	base, sent, since := k.base, k.newest, k.since
	k.sent, k.changed = &sent, false
	read := s.withStatus(object, k.version, base)
	s.mu.Unlock()

	// The answer is decoded into what is sent, which must share nothing with the cache.
	written := s.withStatus(object, read.GetResourceVersion(), sent).DeepCopyObject().(P)
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
			k.unsure = &base
		}
		return
	}
	k.took, k.failures, k.unsure = done.Sub(began), 0, nil
	s.announce(written, &base, &sent)
	// The cache may have shown it already, with what somebody else changed since.
	if order, err := resourceversion.CompareResourceVersion(k.version, written.GetResourceVersion()); err != nil || order <= 0 {
		k.base, k.version = *s.kind.status(written), written.GetResourceVersion()
	}
	if !k.changed {
		k.newest = k.base
	}
}

// withStatus is an object as far as a patch of its status needs it.
func (s *statuses[S, T, P]) withStatus(object P, version string, as S) P {
	made := P(new(T))
	made.SetNamespace(object.GetNamespace())
	made.SetName(object.GetName())
	made.SetUID(object.GetUID())
	made.SetResourceVersion(version)
	*s.kind.status(made) = as
	return made
}

func record(recorder events.EventRecorder, regarding runtime.Object, list []status.Event) {
	for _, event := range list {
		recorder.Eventf(regarding, nil, event.Type, event.Reason, "Reconcile", "%s", event.Message)
	}
}
