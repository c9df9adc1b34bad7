package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/manager"
)

// OperatorOptions say how an operator differs from the one that main.go starts.
type OperatorOptions struct {
	// Namespace is the only one that it sees; all of them if empty.
	Namespace string
	// Nodes are the nodes that it sees; all of them if nil. Nodes have no namespace,
	// and those of other tests would wake it.
	Nodes labels.Selector
	// Transport stands between it and the API server; nil for none.
	Transport Transport
	// Starting is called with the operator before it does anything: for a Transport that
	// has to kill it.
	Starting func(*Operator)
	// Now is its clock; nil for the machine's.
	Now func() time.Time
	// LeaderElection has it act only while it holds the lease in Namespace.
	LeaderElection bool
}

// Operator is one that runs.
type Operator struct {
	// Elected is closed when it begins to act; at once without LeaderElection.
	Elected <-chan struct{}

	requests   requests
	queues     queues
	connection *connection
	cancel     context.CancelFunc
	ended      chan struct{}
	err        error // once ended is closed
}

// StartOperator starts an operator with an empty memory and waits until its caches are
// filled.
func (s *APIServer) StartOperator(options OperatorOptions) (*Operator, error) {
	o := &Operator{connection: newConnection(), ended: make(chan struct{})}
	running, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	mgr, err := ctrl.NewManager(o.config(s.Config, options.Transport), s.managerOptions(&options))
	if err != nil {
		return nil, fmt.Errorf("making a manager: %w", err)
	}
	// One sees a namespace only.
	const workers = 4
	if err := controllers.Setup(mgr, controllers.Options{
		Workers: workers, Namespace: options.Namespace, Now: options.Now, NewQueue: o.queues.add,
	}); err != nil {
		return nil, fmt.Errorf("setting up the controllers: %w", err)
	}
	o.Elected = mgr.Elected()
	if options.Starting != nil {
		options.Starting(o)
	}
	go func() {
		defer close(o.ended)
		o.err = mgr.Start(running)
		// A process ends where mgr.Start does.
		o.connection.cut()
	}()
	// It may lose its connection before they are.
	if !mgr.GetCache().WaitForCacheSync(o.connection.alive) && o.connection.alive.Err() == nil {
		return nil, errors.Join(errors.New("the caches did not fill"), o.Stop())
	}
	return o, nil
}

func (o *Operator) config(base *rest.Config, transport Transport) *rest.Config {
	copied := rest.CopyConfig(base)
	copied.Wrap(func(next http.RoundTripper) http.RoundTripper {
		next = Transport(o.connection.send).to(next)
		if transport != nil {
			next = transport.to(next)
		}
		return Transport(o.requests.send).to(next)
	})
	return copied
}

func (s *APIServer) managerOptions(options *OperatorOptions) ctrl.Options {
	managed := manager.Options(options.Namespace, options.Nodes)
	managed.MapperProvider = func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return s.mapper, nil }
	managed.LeaderElection = options.LeaderElection
	managed.LeaderElectionNamespace = options.Namespace
	// A standby notices soon that the lease is free.
	managed.RetryPeriod = ptr.To(200 * time.Millisecond)
	return managed
}

// Stop ends the operator as SIGTERM does: what it is at is finished first.
func (o *Operator) Stop() error {
	o.cancel()
	<-o.ended
	o.connection.cut()
	return o.err
}

// Kill ends the operator as SIGKILL does. All that the API server can tell of a process
// is what reaches it, and from here on nothing does: no later write, no answer to those
// that are on their way, of which it is open whether they took effect. The memory of
// this operator goes with it; another one starts with its own. Kill may be called from
// a Transport, and returns before the last goroutine has noticed.
func (o *Operator) Kill() {
	o.connection.cut()
	o.cancel()
}

// Alive returns a context that ends when the operator was killed or stopped, or gave up because
// it lost its lease.
func (o *Operator) Alive() context.Context { return o.connection.alive }

// WaitEnded waits until nothing of the operator runs any more.
func (o *Operator) WaitEnded() { <-o.ended }

// Key is the key of an object.
func Key(namespace, name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}
