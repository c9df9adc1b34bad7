package trials

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/rest"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/scenario"
)

// leaseLost runs two operators with leader election. Write n of the first leader stays in
// flight, and the leader can no longer renew its lease. Once the leader has given up, the lease
// is released, so that the standby takes over at once. After the standby's first write the old
// write arrives.
func leaseLost(n int) scenario.Inject {
	return func(w *scenario.World, fault *scenario.Fault) {
		l := &lostLease{write: n, overtaken: make(chan struct{}), world: w, arrived: &fault.Injected}
		fault.Standby, fault.Transport = true, l.transport
		// A write that has not been overtaken when the run ends arrives then.
		fault.End = func() { l.once.Do(func() { close(l.overtaken) }) }
	}
}

type lostLease struct {
	world     *scenario.World
	write     int
	writes    atomic.Int64
	late      atomic.Pointer[scenario.Life] // the leader that has lost its lease
	freed     atomic.Bool
	arrived   *atomic.Int64
	once      sync.Once
	overtaken chan struct{}
}

func (l *lostLease) transport(life *scenario.Life) harness.Transport {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		late := l.late.Load()
		switch {
		case strings.Contains(r.URL.Path, "/leases"):
			if late == life {
				return nil, errTimeout
			}
			if err := l.freeLease(r.Context(), late); err != nil {
				return nil, err
			}
			return next.RoundTrip(r)
		case !harness.IsWrite(r) || isEvent(r):
			return next.RoundTrip(r)
		case late == nil && int(l.writes.Add(1)) == l.write && l.late.CompareAndSwap(nil, life):
			return l.arriveLate(r)
		}
		response, err := next.RoundTrip(r)
		if late != nil && late != life {
			l.once.Do(func() { close(l.overtaken) })
		}
		return response, err
	}
}

// freeLease releases the lease of a leader that has given up. It is called for a request of the
// standby, which then finds the lease free.
func (l *lostLease) freeLease(ctx context.Context, late *scenario.Life) error {
	if late == nil || !late.Dead() || !l.freed.CompareAndSwap(false, true) {
		return nil
	}
	return l.world.Server.FreeLease(ctx, l.world.Namespace)
}

// arriveLate delivers a request after its sender has died, as if it had been in the network.
func (l *lostLease) arriveLate(r *http.Request) (*http.Response, error) {
	direct, err := rest.TransportFor(l.world.Server.Config)
	if err != nil {
		return nil, err
	}
	late := r.Clone(context.WithoutCancel(r.Context()))
	<-l.overtaken
	l.arrived.Add(1)
	return direct.RoundTrip(late)
}
