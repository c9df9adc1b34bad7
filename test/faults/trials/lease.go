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

// leaseLost has two operators with leader election. Write n of the first leader stays on
// its way, and its lease is not renewed any more, so that the other one takes over. Once
// that one has written something, the old write arrives after all.
func leaseLost(n int) scenario.Inject {
	return func(w *scenario.World) *scenario.Fault {
		l := &lostLease{write: n, overtaken: make(chan struct{}), world: w}
		return &scenario.Fault{
			Standby:    true,
			Injected:   func() int { return int(l.arrived.Load()) },
			Transports: l.transports,
			// What has not been overtaken by the end arrives then.
			End: func() { l.once.Do(func() { close(l.overtaken) }) },
		}
	}
}

type lostLease struct {
	world     *scenario.World
	write     int
	writes    atomic.Int64
	late      atomic.Pointer[scenario.Life] // the leader that has lost its lease
	arrived   atomic.Int64
	once      sync.Once
	overtaken chan struct{}
}

func (l *lostLease) transports(life *scenario.Life) []harness.Transport {
	return []harness.Transport{func(next http.RoundTripper) http.RoundTripper {
		return harness.RoundTripper(func(r *http.Request) (*http.Response, error) {
			late := l.late.Load()
			switch {
			case strings.Contains(r.URL.Path, "/leases") && late == life:
				return nil, errTimeout
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
		})
	}}
}

// arriveLate sends a request in spite of the death of who sent it: it is in the network
// by now.
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
