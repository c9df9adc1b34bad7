package scenario

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// The names of the JobFlow, or the DaemonJob, of every scenario.
const (
	flowName   = "f"
	daemonName = "d"
)

// worldLabel is on the nodes of a world, with its namespace. Pods of its DaemonJobs go
// to these nodes only.
const worldLabel = "faults/world"

// podLag stands for the second that the Job controller takes to see what its pods came
// to: long enough for a dependent to start meanwhile.
const podLag = 150 * time.Millisecond

// World is a namespace of an API server, with nodes, a record and a player of its own.
type World struct {
	Server    *harness.APIServer
	Namespace string
	Mode      Mode
	Record    *harness.Record
	Player    *harness.Player
	Clock     *Clock

	scenario *Scenario
	ledger   *ledger
}

// NewWorld makes one for a scenario. The record and the player end with ctx.
func NewWorld(ctx context.Context, server *harness.APIServer, s *Scenario, mode Mode) (*World, error) {
	namespace, err := server.NewNamespace(ctx)
	if err != nil {
		return nil, err
	}
	record, err := harness.NewRecord(ctx, server.Client, namespace)
	if err != nil {
		return nil, err
	}
	w := &World{
		Server: server, Namespace: namespace, Mode: mode, Record: record, Clock: &Clock{},
		Player:   harness.Play(ctx, server.Client, record, harness.PlayerOptions{Pods: mode == PodsSucceeded, Lag: podLag}),
		scenario: s,
		ledger:   &ledger{},
	}
	record.OnChange(w.ledger.note)
	for _, node := range s.Nodes {
		if err := w.join(ctx, node); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Close takes the nodes away, which belong to no namespace.
func (w *World) Close(ctx context.Context) error {
	return w.Server.Client.DeleteAllOf(ctx, &corev1.Node{}, client.MatchingLabels{worldLabel: w.Namespace})
}

// start creates the objects of the scenario.
func (w *World) start(ctx context.Context) error {
	for _, object := range w.scenario.Objects(w) {
		object.SetNamespace(w.Namespace)
		if flow, is := object.(*v1alpha1.JobFlow); is && w.Mode == PodsSucceeded {
			flow.Spec.StartOn = v1alpha1.StartOnPodsSucceeded
		}
		if err := w.Server.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("creating %T %s: %w", object, object.GetName(), err)
		}
	}
	return nil
}

// play makes the moves of the script.
func (w *World) play(ctx context.Context) error {
	for i, move := range w.scenario.Script {
		if err := w.Record.Wait(ctx, func() bool { return move.When(w) }); err != nil {
			return fmt.Errorf("the moment for move %d of the script did not come: %w", i+1, err)
		}
		if err := move.Do(ctx, w); err != nil {
			return fmt.Errorf("move %d of the script: %w", i+1, err)
		}
	}
	return nil
}

// operatorOptions are those of an operator that sees this world only.
func (w *World) operatorOptions() harness.OperatorOptions {
	return harness.OperatorOptions{
		Namespace: w.Namespace,
		Nodes:     labels.SelectorFromSet(labels.Set{worldLabel: w.Namespace}),
		Now:       w.Clock.Now,
	}
}

// FirstVersion is a resource version at which nothing of the scenario existed yet.
func (w *World) FirstVersion() int64 { return w.Record.Versions()[0] - 1 }

// BirthVersion is the one at which the JobFlow or DaemonJob was there, and nothing had
// become of it.
func (w *World) BirthVersion() int64 { return w.ledger.bornAt() }

// MiddleVersion is one half way from there to now.
func (w *World) MiddleVersion() int64 {
	versions := w.Record.Versions()
	return versions[len(versions)/2]
}

// Clock is the clock of the operators of a world.
type Clock struct{ offset, asked atomic.Int64 }

// Now is the time by this clock.
func (c *Clock) Now() time.Time {
	c.asked.Add(1)
	return time.Now().Add(time.Duration(c.offset.Load()))
}

// Set says how far the clock is ahead of the machine's.
func (c *Clock) Set(ahead time.Duration) { c.offset.Store(int64(ahead)) }

func (w *World) key(name string) client.ObjectKey { return harness.Key(w.Namespace, name) }

// node is the full name of a node.
func (w *World) node(name string) string { return w.Namespace + "-" + name }

// job is the Job of a step or node, or nil.
func (w *World) job(run string) *batchv1.Job {
	if job := w.Record.Job(w.key(daemonName + "-" + w.node(run))); job != nil {
		return job
	}
	return w.Record.Job(w.key(flowName + "-" + run))
}

func (w *World) join(ctx context.Context, node Node) error {
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name:   w.node(node.Name),
		Labels: map[string]string{worldLabel: w.Namespace, corev1.LabelHostname: w.node(node.Name)},
	}}
	if node.Tainted {
		object.Spec.Taints = []corev1.Taint{{Key: "reserved", Effect: corev1.TaintEffectNoSchedule}}
	}
	return w.Server.Client.Create(ctx, object)
}

// edit changes an object, whoever else does meanwhile.
func edit[T client.Object](ctx context.Context, w *World, object T, name string, change func(T)) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := w.Server.Client.Get(ctx, w.key(name), object); err != nil {
			return err
		}
		change(object)
		return w.Server.Client.Update(ctx, object)
	})
}

// remove deletes an object as kubectl does; of Jobs the pods go too.
func (w *World) remove(ctx context.Context, object client.Object, name string) error {
	object.SetName(name)
	object.SetNamespace(w.Namespace)
	return client.IgnoreNotFound(w.Server.Client.Delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationBackground)))
}
