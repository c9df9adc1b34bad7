package controllers

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

func TestHowLongAStatusWaits(t *testing.T) {
	started := func(uids ...string) []v1alpha1.RunStatus {
		runs := []v1alpha1.RunStatus{{Name: "a"}, {Name: "b"}, {Name: "c"}}
		for i, uid := range uids {
			runs[i].JobUID = uid
		}
		return runs
	}
	ended := started("u")
	ended[0].Phase = v1alpha1.PhaseSucceeded
	running, succeed := v1alpha1.StateRunning, v1alpha1.StateSucceed
	for name, c := range map[string]struct {
		state v1alpha1.State
		runs  []v1alpha1.RunStatus
		want  time.Duration
	}{
		"a result":                         {running, ended, resultsWindow + 3*windowPerRun},
		"a Job was created":                {running, started("u", "v"), 3 * windowPerRun},
		"a Job was created instead of one": {running, started("w"), 3 * windowPerRun},
		"the end":                          {succeed, ended, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := window(status.Compare(statusWith(running, started("u")), statusWith(c.state, c.runs))); got != c.want {
				t.Errorf("it waits %s, not %s", got, c.want)
			}
		})
	}
}

func statusWith(state v1alpha1.State, runs []v1alpha1.RunStatus) v1alpha1.ParentStatus {
	return &v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: state}, Flows: runs}
}

// statusServer is an API server as far as it stores the status of one JobFlow, the
// operator's statuses in front of it, and a clock that stands still.
type statusServer struct {
	client.Client
	t        *testing.T
	statuses *statuses
	stored   *v1alpha1.JobFlow
	writes   int
	// before is called with each write, before it takes effect; an error refuses it.
	// after is called once it has, and keeps the answer from the operator with an error.
	before, after func() error
	// reading is what becomes of a live read.
	reading error
	clock   time.Time
}

func newStatusServer(t *testing.T) *statusServer {
	s := &statusServer{t: t, stored: flowAt("u", "1"), clock: time.Unix(1_000_000, 0)}
	s.stored.Status = s.status(0)
	s.statuses = newStatuses(v1alpha1.KindJobFlow, s, s, events.NewFakeRecorder(100), 1)
	s.statuses.stopwatch = func() time.Time { return s.clock }
	s.statuses.queue = workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	t.Cleanup(s.statuses.queue.ShutDown)
	return s
}

func (s *statusServer) status(succeeded int32) v1alpha1.JobFlowStatus {
	return v1alpha1.JobFlowStatus{Summary: v1alpha1.Summary{State: v1alpha1.StateRunning, Succeeded: succeeded}}
}

// Get implements client.Reader.
func (s *statusServer) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	if s.reading != nil {
		return s.reading
	}
	s.stored.DeepCopyInto(object.(*v1alpha1.JobFlow))
	return nil
}

func (s *statusServer) Status() client.SubResourceWriter { return statusEndpoint{server: s} }

type statusEndpoint struct {
	client.SubResourceWriter
	server *statusServer
}

func (e statusEndpoint) Patch(_ context.Context, object client.Object, _ client.Patch, _ ...client.SubResourcePatchOption) error {
	s := e.server
	flow := object.(*v1alpha1.JobFlow)
	s.writes++
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	if flow.ResourceVersion != s.stored.ResourceVersion {
		s.t.Errorf("written over version %s, which is at %s", flow.ResourceVersion, s.stored.ResourceVersion)
	}
	s.change(func(stored *v1alpha1.JobFlow) { stored.Status = flow.Status })
	s.stored.DeepCopyInto(flow)
	if s.after != nil {
		return s.after()
	}
	return nil
}

func (s *statusServer) change(how func(*v1alpha1.JobFlow)) {
	version, err := strconv.Atoi(s.stored.ResourceVersion)
	if err != nil {
		s.t.Fatal(err)
	}
	changed := s.stored.DeepCopy()
	how(changed)
	changed.ResourceVersion = strconv.Itoa(version + 1)
	s.stored = changed
}

// reconcile is one reconcile: cached is in the cache, and next is the status that is computed.
func (s *statusServer) reconcile(cached *v1alpha1.JobFlow, next v1alpha1.JobFlowStatus) (wait time.Duration, err error) {
	flow := *cached
	if _, err = s.statuses.refresh(&flow); err != nil {
		s.t.Fatal(err)
	}
	return s.statuses.report(context.Background(), &flow, &next, s.clock)
}

// mustReconcile is a reconcile without an error.
func (s *statusServer) mustReconcile(cached *v1alpha1.JobFlow, next v1alpha1.JobFlowStatus) {
	s.t.Helper()
	if _, err := s.reconcile(cached, next); err != nil {
		s.t.Fatal(err)
	}
}

// expect checks which status a reconcile begins with.
func (s *statusServer) expect(cached *v1alpha1.JobFlow, succeeded int32, unrecorded bool) {
	s.t.Helper()
	flow := *cached
	is, err := s.statuses.refresh(&flow)
	if err != nil || flow.Status.Succeeded != succeeded || is != unrecorded {
		s.t.Errorf("%d succeeded, unrecorded %t (%v); want %d, %t", flow.Status.Succeeded, is, err, succeeded, unrecorded)
	}
}

// requeued waits until the end of a write requeues the object.
func (s *statusServer) requeued() {
	s.t.Helper()
	requeued := make(chan reconcile.Request)
	go func() {
		request, _ := s.statuses.queue.Get()
		requeued <- request
	}()
	select {
	case request := <-requeued:
		s.statuses.queue.Done(request)
	case <-time.After(time.Minute):
		s.t.Fatal("no write has ended")
	}
}

const results = resultsWindow // of a status without steps

func TestStatusIsGathered(t *testing.T) {
	type write struct {
		at, want time.Duration // at is after the start
	}
	cases := map[string][]write{
		"a change waits":                         {{0, results}},
		"later changes wait no longer than that": {{0, results}, {results / 4, results * 3 / 4}, {results, 0}},
		"the clock is set back":                  {{0, results}, {-time.Hour, results}, {-time.Hour + results, 0}},
	}
	for name, writes := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStatusServer(t)
			cached, start := s.stored, s.clock
			for i, w := range writes {
				s.clock = start.Add(w.at)
				if wait, err := s.reconcile(cached, s.status(int32(i+1))); wait != w.want || err != nil {
					t.Errorf("write %d waits %s, not %s (%v)", i, wait, w.want, err)
				}
				if w.want == 0 {
					s.requeued()
				}
			}
			s.expect(cached, int32(len(writes)), s.writes == 0)
			another := flowAt("another", "1")
			s.expect(another, 0, false)
		})
	}
}

func TestStateIsWrittenAtOnce(t *testing.T) {
	s := newStatusServer(t)
	cached := s.stored
	s.mustReconcile(cached, s.status(1))
	end := s.status(2)
	end.State = v1alpha1.StateSucceed
	if wait, err := s.reconcile(cached, end); wait != 0 || err != nil || s.stored.Status.State != v1alpha1.StateSucceed || s.writes != 1 {
		t.Fatalf("the end waits %s (%v), after %d writes", wait, err, s.writes)
	}
	s.expect(cached, 2, false)
}

// What happens while a write is under way is planned from, and joins the next one.
func TestChangesDuringAWrite(t *testing.T) {
	s := newStatusServer(t)
	cached := s.stored
	s.mustReconcile(cached, s.status(1))
	s.clock = s.clock.Add(results)
	begun, goOn := make(chan struct{}), make(chan struct{})
	s.before = func() error {
		begun <- struct{}{}
		<-goOn
		return nil
	}
	s.mustReconcile(cached, s.status(1))
	<-begun
	s.expect(cached, 1, true)
	if wait, err := s.reconcile(cached, s.status(2)); wait != 0 || err != nil {
		t.Errorf("a second write waits %s during the first: %v", wait, err)
	}
	end := s.status(3)
	end.State = v1alpha1.StateSucceed
	if wait, err := s.reconcile(cached, end); wait != 0 || err != nil {
		t.Errorf("an end waits %s during a write: %v", wait, err)
	}
	s.expect(cached, 3, true)
	s.before = nil
	close(goOn)
	s.requeued()
	if s.stored.Status.Succeeded != 1 {
		t.Errorf("written: %v", s.stored.Status)
	}
	// The cache need not have caught up: the next write is of the version that is known.
	if _, err := s.reconcile(cached, end); err != nil || s.stored.Status.State != v1alpha1.StateSucceed || s.writes != 2 {
		t.Errorf("the end is not written after %d writes: %v", s.writes, err)
	}
	s.expect(cached, 3, false)
	s.expect(s.stored, 3, false)
	// From now on the cache is what counts.
	s.change(func(stored *v1alpha1.JobFlow) { stored.Status.Succeeded = 9 })
	s.expect(s.stored, 9, false)
}

func TestStatusWriteFails(t *testing.T) {
	for name, takesEffect := range map[string]bool{"it is refused": false, "its answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			s := newStatusServer(t)
			cached, failure := s.stored, errors.New("no answer")
			if takesEffect {
				s.after = func() error { return failure }
			} else {
				s.before = func() error { return failure }
			}
			s.mustReconcile(cached, s.status(1))
			s.clock = s.clock.Add(results)
			s.mustReconcile(cached, s.status(1))
			s.requeued()
			s.expect(cached, 1, true)
			// The error is returned once, so that the object is requeued with backoff, and the write is not
			// retried before that.
			if _, err := s.reconcile(cached, s.status(1)); !errors.Is(err, failure) || s.writes != 1 {
				t.Fatalf("the error is %v, after %d writes", err, s.writes)
			}
			s.expect(cached, 1, true)
			s.before, s.after = nil, nil
			if takesEffect {
				// No event follows that would cause another reconcile of what waits for the write.
				s.expect(s.stored, 1, false)
				return
			}
			s.clock = s.clock.Add(firstBackoff)
			s.mustReconcile(cached, s.status(1))
			s.requeued()
			if s.writes != 2 || s.stored.Status.Succeeded != 1 {
				t.Errorf("after %d writes there is %v", s.writes, s.stored.Status)
			}
		})
	}
}

// The writes of a status that cannot be written back off, however often the object is
// reconciled.
func TestStatusWritesBackOff(t *testing.T) {
	tooLarge := errors.New("too large")
	notFound := apierrors.NewNotFound(schema.GroupResource{Resource: "jobflows"}, "f")
	for name, c := range map[string]struct {
		failure       error
		before, after v1alpha1.State
	}{
		"of results": {tooLarge, v1alpha1.StateRunning, v1alpha1.StateRunning},
		"of an end":  {tooLarge, v1alpha1.StateRunning, v1alpha1.StateSucceed},
		"of what is gone, though the cache has it":       {notFound, v1alpha1.StateRunning, v1alpha1.StateRunning},
		"of an end of what is gone":                      {notFound, v1alpha1.StateRunning, v1alpha1.StateSucceed},
		"after the end":                                  {tooLarge, v1alpha1.StateSucceed, v1alpha1.StateSucceed},
		"after the end of what is gone, which is cached": {notFound, v1alpha1.StateSucceed, v1alpha1.StateSucceed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStatusServer(t)
			s.change(func(stored *v1alpha1.JobFlow) {
				stored.Status.State = c.before
				if c.before == v1alpha1.StateSucceed {
					stored.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue}}
				}
			})
			next := s.stored.Status
			next.State, next.Succeeded = c.after, 1
			reconcile := func() (time.Duration, error) {
				if c.before == v1alpha1.StateSucceed {
					s.statuses.ended(s.stored)
				}
				return s.reconcile(s.stored, next)
			}
			s.before = func() error { return c.failure }
			background := c.after == v1alpha1.StateRunning
			if background {
				s.mustReconcile(s.stored, next)
				s.clock = s.clock.Add(results)
			}
			const pause = 5 * time.Millisecond
			for range time.Second / pause {
				wait, err := reconcile()
				switch {
				case background && err == nil && wait <= 0:
					s.requeued()
				case !background && err == nil && wait <= 0:
					t.Fatal("it is not requeued")
				}
				s.clock = s.clock.Add(pause)
			}
			if s.writes < 4 || s.writes > 10 {
				t.Errorf("%d writes in a second", s.writes)
			}
			s.before = nil
			s.clock = s.clock.Add(longestBackoff)
			if _, err := reconcile(); err != nil {
				t.Error(err)
			}
			if background {
				s.requeued()
			}
			if s.stored.Status.Succeeded != 1 {
				t.Errorf("in the end there is %v", s.stored.Status)
			}
		})
	}
}

// The object may have been deleted although the watch does not show that yet: nothing is planned
// from an older status meanwhile.
func TestObjectIsMissing(t *testing.T) {
	s := newStatusServer(t)
	notFound := apierrors.NewNotFound(schema.GroupResource{Resource: "jobflows"}, "f")
	s.before = func() error { return notFound }
	s.mustReconcile(s.stored, s.status(1))
	ensure := func(reading error, want, fails bool) {
		t.Helper()
		s.reading = reading
		if there, err := s.statuses.ensure(t.Context(), s.stored); there != want || (err != nil) != fails {
			t.Errorf("there: %t, %v", there, err)
		}
	}
	ensure(notFound, true, false) // nothing is read
	s.clock = s.clock.Add(results)
	s.mustReconcile(s.stored, s.status(1))
	s.requeued()
	ensure(notFound, false, false)
	ensure(errNoAnswer, false, true)
	s.expect(s.stored, 1, true)

	// It is there after all.
	s.before = nil
	ensure(nil, true, false)
	ensure(notFound, true, false) // nothing is read
	s.clock = s.clock.Add(results)
	s.mustReconcile(s.stored, s.status(1))
	s.requeued()
	if s.stored.Status.Succeeded != 1 {
		t.Errorf("there is %v", s.stored.Status)
	}

	// At the end, too, it has to be requeued.
	s.before = func() error { return notFound }
	end := s.status(2)
	end.State = v1alpha1.StateSucceed
	if wait, err := s.reconcile(s.stored, end); wait <= 0 || err != nil {
		t.Errorf("waits %s: %v", wait, err)
	}
	ensure(notFound, false, false)
}

// After the end a change of the spec still has to be acknowledged, though the cache shows
// an end.
func TestStatusAfterTheEnd(t *testing.T) {
	s := newStatusServer(t)
	s.change(func(stored *v1alpha1.JobFlow) {
		stored.Status.State = v1alpha1.StateSucceed
		stored.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue}}
	})
	next := s.stored.Status
	next.ObservedGeneration = 2
	for range 2 {
		flow := *s.stored
		s.statuses.ended(&flow)
		if wait, err := s.statuses.report(context.Background(), &flow, &next, s.clock); wait != 0 || err != nil {
			t.Errorf("waits %s: %v", wait, err)
		}
	}
	if s.writes != 1 || s.stored.Status.ObservedGeneration != 2 {
		t.Errorf("after %d writes there is %v", s.writes, s.stored.Status)
	}
}

// Events are made once for each change, also where no answer to its write came.
func TestEventsOfALostAnswer(t *testing.T) {
	created := func(s *statusServer, state v1alpha1.State) v1alpha1.JobFlowStatus {
		status := s.status(0)
		status.State = state
		status.Flows = []v1alpha1.RunStatus{{Name: "a", Phase: v1alpha1.PhaseRunning, JobName: "f-a", JobUID: "1"}}
		return status
	}
	lose := func(s *statusServer) { s.after = func() error { return errors.New("no answer") } }
	for name, c := range map[string]struct {
		state   v1alpha1.State
		happens func(s *statusServer, next v1alpha1.JobFlowStatus)
	}{
		"of a Job that was created": {v1alpha1.StateRunning, func(s *statusServer, next v1alpha1.JobFlowStatus) {
			s.mustReconcile(s.stored, next)
			s.clock = s.clock.Add(results)
			cached := s.stored
			lose(s)
			s.mustReconcile(cached, next)
			s.requeued()
			s.after = nil
			if _, err := s.reconcile(cached, next); err == nil {
				s.t.Error("no error was returned")
			}
			s.mustReconcile(s.stored, next)
		}},
		"of an end": {v1alpha1.StateSucceed, func(s *statusServer, next v1alpha1.JobFlowStatus) {
			lose(s)
			if _, err := s.reconcile(s.stored, next); err == nil {
				s.t.Error("no error was returned")
			}
			trimmed := s.stored.DeepCopy()
			trimmed.Status.Flows = nil
			s.statuses.ended(trimmed)
		}},
		"where another write follows": {v1alpha1.StateRunning, func(s *statusServer, next v1alpha1.JobFlowStatus) {
			s.mustReconcile(s.stored, next)
			s.clock = s.clock.Add(results)
			s.before = func() error { return errors.New("refused") }
			s.mustReconcile(s.stored, next)
			s.requeued()
			s.before = nil
			if _, err := s.reconcile(s.stored, next); err == nil {
				s.t.Error("no error was returned")
			}
			s.clock = s.clock.Add(longestBackoff)
			s.mustReconcile(s.stored, next)
			s.requeued()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStatusServer(t)
			next := created(s, c.state)
			c.happens(s, next)
			s.mustReconcile(s.stored, s.stored.Status) // nothing new
			var got []string
			for made := s.statuses.events.(*events.FakeRecorder).Events; len(made) > 0; {
				got = append(got, <-made)
			}
			if len(got) == 0 || !strings.Contains(got[0], v1alpha1.EventJobCreated) || strings.Count(strings.Join(got, "\n"), v1alpha1.EventJobCreated) != 1 {
				t.Errorf("events %q", got)
			}
			if c.state == v1alpha1.StateSucceed && !strings.Contains(strings.Join(got, "\n"), v1alpha1.EventCompleted) {
				t.Errorf("no end in %q", got)
			}
		})
	}
}

// However long a write takes, most of the time there is none.
func TestStatusWritesRest(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{time.Second: cooldownPerWrite * time.Second, time.Minute: longestCooldown} {
		s := newStatusServer(t)
		cached := s.stored
		s.mustReconcile(cached, s.status(1))
		s.clock = s.clock.Add(results)
		s.before = func() error {
			s.clock = s.clock.Add(took)
			return nil
		}
		s.mustReconcile(cached, s.status(1))
		s.requeued()
		if wait, err := s.reconcile(s.stored, s.status(2)); wait != want || err != nil {
			t.Errorf("the next write waits %s, not %s: %v", wait, want, err)
		}
		checkEndDoesNotWait(t, s)
	}
}

func checkEndDoesNotWait(t *testing.T, s *statusServer) {
	t.Helper()
	end := s.status(3)
	end.State = v1alpha1.StateSucceed
	if wait, err := s.reconcile(s.stored, end); wait != 0 || err != nil || s.writes != 2 {
		t.Errorf("the end waits %s: %v", wait, err)
	}
}

// Most objects do not change. Nothing is kept of them.
func TestStatusOfWhatRests(t *testing.T) {
	s := newStatusServer(t)
	s.mustReconcile(s.stored, s.status(0))
	if len(s.statuses.known) != 0 || s.writes != 0 {
		t.Errorf("%d are known, after %d writes", len(s.statuses.known), s.writes)
	}
	end := s.status(1)
	end.State = v1alpha1.StateSucceed
	s.mustReconcile(s.stored, end)
	s.statuses.forget(client.ObjectKeyFromObject(s.stored)) // as where the cache shows an end
	s.mustReconcile(s.stored, end)
	if len(s.statuses.known) != 0 || s.writes != 1 {
		t.Errorf("%d are known, after %d writes", len(s.statuses.known), s.writes)
	}
}

// Another client may change the object while its status is written.
func TestObjectChangesBesideItsStatus(t *testing.T) {
	s := newStatusServer(t)
	s.mustReconcile(s.stored, s.status(1))
	s.change(func(stored *v1alpha1.JobFlow) { stored.Labels = map[string]string{"new": "label"} })
	s.clock = s.clock.Add(results)
	s.after = func() error {
		s.change(func(stored *v1alpha1.JobFlow) { stored.Labels = nil })
		return nil
	}
	s.mustReconcile(s.stored, s.status(1))
	s.requeued()
	s.after = nil
	s.expect(s.stored, 1, false)
	s.mustReconcile(s.stored, s.status(2))
	s.clock = s.clock.Add(results)
	s.mustReconcile(s.stored, s.status(2))
	s.requeued()
	if s.stored.Status.Succeeded != 2 {
		t.Errorf("there is %v", s.stored.Status)
	}
}
