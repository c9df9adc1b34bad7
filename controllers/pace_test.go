package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestPace(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for name, c := range map[string]struct{ before, took, after, want time.Duration }{
		"short looks":                        {before: shortLook - 1, took: shortLook - 1},
		"long ones":                          {before: 5 * time.Millisecond, took: 7 * time.Millisecond, want: restPerLook * 5 * time.Millisecond},
		"a while after them":                 {before: 5 * time.Millisecond, took: 5 * time.Millisecond, after: time.Millisecond, want: restPerLook*5*time.Millisecond - time.Millisecond},
		"some that waited":                   {before: time.Minute, took: time.Minute, want: longestPause},
		"one that waited, after another":     {before: 5 * time.Millisecond, took: time.Minute, want: restPerLook * 5 * time.Millisecond},
		"one that waited, after a short one": {before: shortLook - 1, took: time.Minute},
		"one that waited, the first":         {took: time.Minute},
		"a short one after one that waited":  {before: time.Minute, took: shortLook - 1},
		"long after them":                    {before: 5 * time.Millisecond, took: 5 * time.Millisecond, after: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			p, object := newPace(), types.NamespacedName{Name: "f"}
			p.looked(object, start.Add(-c.before), start)
			done := start.Add(c.took)
			p.looked(object, start, done)
			if got := max(0, p.wait(object, done.Add(c.after))); got != c.want {
				t.Errorf("the next look waits %s, not %s", got, c.want)
			}
			if got := p.wait(types.NamespacedName{Name: "another"}, done); got > 0 {
				t.Errorf("another object waits %s", got)
			}
			p.looked(object, start, start)
			p.forget(object)
			if len(p.last) != 0 {
				t.Error("something is left")
			}
		})
	}
}

type failingClient struct{ client.Client }

var errNoAnswer = errors.New("no answer")

// Get implements client.Reader.
func (failingClient) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errNoAnswer
}

// A look that comes too early counts as one that went well, and would begin backoff anew.
func TestPaceLeavesErrorsToBackoff(t *testing.T) {
	request := reconcile.Request{NamespacedName: types.NamespacedName{Name: "f"}}
	for _, kind := range []parentKind{jobFlows{}, daemonJobs{}} {
		pace := newPace()
		reconciler := &parentReconciler{
			kind: kind, client: failingClient{}, pace: pace, now: time.Now,
			statuses: newStatuses(kind.name(), nil, nil, nil, 1),
		}
		long := time.Now().Add(-time.Hour)
		pace.looked(request.NamespacedName, long, long.Add(time.Minute))
		if _, err := reconciler.Reconcile(t.Context(), request); !errors.Is(err, errNoAnswer) {
			t.Fatal(err)
		}
		if len(pace.last) != 0 {
			t.Errorf("%s: the next look has to wait for %v", kind.name(), pace.last)
		}
	}
}
