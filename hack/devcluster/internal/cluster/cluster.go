// Package cluster brings a cluster up, keeps account of it, and takes it down.
package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/apiclient"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/paths"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

// Cluster is one cluster of this machine, which may or may not exist.
type Cluster struct {
	name  string
	dir   string
	cache string
	say   *progress.Printer
	tools *toolchain.Toolchain
	procs *process.Manager
}

// New returns the named cluster.
func New(name string, say *progress.Printer) (*Cluster, error) {
	dir, err := paths.State(name)
	if err != nil {
		return nil, err
	}
	cache, err := paths.Cache()
	if err != nil {
		return nil, err
	}
	return &Cluster{name: name, dir: dir, cache: cache, say: say, procs: process.NewManager(dir)}, nil
}

// id tells the cluster from others of the same name with another state directory;
// it names what is not below that directory, such as cgroups.
func (c *Cluster) id() string {
	sum := sha256.Sum256([]byte(c.dir))
	return c.name + "-" + hex.EncodeToString(sum[:3])
}

// Kubeconfig is the path of the user's kubeconfig.
func (c *Cluster) Kubeconfig() string { return controlplane.Config{Dir: c.dir}.AdminKubeconfig() }

// State returns nil when there is no cluster.
func (c *Cluster) State() (*State, error) { return loadState(c.dir) }

// ErrNoCluster tells that there is no such cluster.
var ErrNoCluster = errors.New("there is no cluster; start one with \"devcluster up\"")

// lock keeps other runs off the cluster.
func (c *Cluster) lock(ctx context.Context) (unlock func(), err error) {
	// Beside the state directory, which "down" deletes.
	file := filepath.Join(filepath.Dir(c.dir), "."+c.name+".lock")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	l := flock.New(file)
	ok, err := l.TryLock()
	if err == nil && !ok {
		c.say.Say("another devcluster works on cluster %s; waiting for it", c.name)
		_, err = l.TryLockContext(ctx, 300*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", file, err)
	}
	return func() { _ = l.Unlock() }, nil
}

// UpOptions say what cluster is wanted.
type UpOptions struct {
	// Mode Auto keeps that of an existing cluster.
	Mode Mode
	// Nodes nil keeps those of an existing cluster.
	Nodes []string
	// SyncEtcd makes etcd wait for the disk.
	SyncEtcd bool
}

// Up makes the cluster be there as wanted, whatever was there before.
func (c *Cluster) Up(ctx context.Context, o UpOptions) error {
	source, err := paths.Source()
	if err != nil {
		return err
	}
	c.tools = toolchain.New(source, c.cache, c.say)
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := c.State()
	if err != nil {
		return fmt.Errorf("%w; \"devcluster down\" clears it away", err)
	}
	mode, err := c.chooseMode(o.Mode, old)
	if err != nil {
		return err
	}
	want, err := c.wanted(mode, o)
	if err != nil {
		return err
	}
	if old != nil {
		if why := recreateReason(*old, *want); why != "" {
			c.say.Say("recreating the cluster: %s", why)
			if err := c.down(ctx, old); err != nil {
				return err
			}
			old = nil
		}
	}
	if old != nil {
		want.APIPort, want.EtcdPort, want.PeerPort, want.Nodes = old.APIPort, old.EtcdPort, old.PeerPort, old.Nodes
		want.Removing = old.Removing
		want.Tunables, want.MadeDirs = old.Tunables, old.MadeDirs
	}
	names := o.Nodes
	switch {
	case names == nil && old != nil:
		names = old.Names()
	case names == nil:
		names = numberedNodes(DefaultNodes)
	}
	want.setNodes(names)
	if old != nil {
		c.sayNodeChanges(old.Names(), names)
	}
	if mode == Real {
		return c.upReal(ctx, want)
	}
	return c.upSimulated(ctx, want)
}

func (c *Cluster) chooseMode(asked Mode, old *State) (Mode, error) {
	whyNot := realImpossible()
	switch {
	case asked == Simulated:
		return Simulated, nil
	case asked == Real && whyNot != "":
		return "", fmt.Errorf("real nodes cannot be had: %s", whyNot)
	case asked == Real:
		return Real, nil
	case old != nil:
		if old.Mode == Real && whyNot != "" {
			return "", fmt.Errorf("cluster %s has real nodes, which cannot be managed now: %s", c.name, whyNot)
		}
		c.say.Say("cluster %s exists, with %s nodes", c.name, old.Mode)
		return old.Mode, nil
	case whyNot != "":
		c.say.Say("real nodes cannot be had here: %s; simulating them instead", whyNot)
		return Simulated, nil
	}
	return Real, nil
}

func (c *Cluster) wanted(mode Mode, o UpOptions) (*State, error) {
	kubernetes, err := c.tools.Version(toolchain.APIServer)
	if err != nil {
		return nil, err
	}
	etcd, err := c.tools.Version(toolchain.Etcd)
	if err != nil {
		return nil, err
	}
	want := &State{Mode: mode, Kubernetes: kubernetes, Etcd: etcd, SyncEtcd: o.SyncEtcd}
	if mode == Real && len(o.Nodes) > maxReal {
		return nil, fmt.Errorf("%d real nodes are too many for one machine; the limit is %d, or use --simulated", len(o.Nodes), maxReal)
	}
	return want, nil
}

// recreateReason says why a cluster cannot become the wanted one, or nothing.
func recreateReason(old, want State) string {
	switch {
	case old.Mode != want.Mode:
		return fmt.Sprintf("its nodes are %s, and %s ones are asked for", old.Mode, want.Mode)
	case old.Kubernetes != want.Kubernetes:
		return fmt.Sprintf("it runs Kubernetes %s, this is %s", old.Kubernetes, want.Kubernetes)
	case old.Etcd != want.Etcd:
		return fmt.Sprintf("it runs etcd %s, this is %s", old.Etcd, want.Etcd)
	}
	return ""
}

func (c *Cluster) sayNodeChanges(old, now []string) {
	for verb, pair := range map[string][2][]string{"adding": {now, old}, "removing": {old, now}} {
		var names []string
		for _, n := range pair[0] {
			if !slices.Contains(pair[1], n) {
				names = append(names, n)
			}
		}
		switch {
		case len(names) > 10:
			c.say.Say("%s %d nodes", verb, len(names))
		case len(names) > 0:
			c.say.Say("%s nodes: %s", verb, strings.Join(names, ", "))
		}
	}
}

// Down ends the cluster and deletes all that it has left. It is no error if there
// is none: what remains of a half-made one is cleared away.
func (c *Cluster) Down(ctx context.Context) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	state, err := c.State()
	if err != nil {
		c.say.Say("its state is unreadable (%v); clearing away what can be found", err)
	}
	if _, err := os.Stat(c.dir); errors.Is(err, os.ErrNotExist) {
		c.say.Say("no cluster %s", c.name)
		return nil
	}
	if state != nil && state.Mode == Real {
		if why := realImpossible(); why != "" {
			return fmt.Errorf("cluster %s has real nodes and cannot be taken down: %s", c.name, why)
		}
	}
	if err := c.down(ctx, state); err != nil {
		return err
	}
	c.say.Say("cluster %s is down", c.name)
	return nil
}

// down stops daemons in the order that makes the least noise: first those that
// would start something anew.
func (c *Cluster) down(ctx context.Context, state *State) error {
	c.say.Say("stopping cluster %s", c.name)
	names, err := c.procs.Names()
	if err != nil {
		return err
	}
	var nodes, rest []string
	for _, name := range names {
		if strings.HasPrefix(name, "kubelet-") || name == controlplane.ControllerManagerName {
			nodes = append(nodes, name)
		} else if !strings.HasPrefix(name, "containerd-") {
			rest = append(rest, name)
		}
	}
	if err := c.stopAll(nodes); err != nil {
		return err
	}
	if err := c.cleanReal(ctx, state); err != nil {
		return err
	}
	// Their data is deleted next: no need to wait for orderly ends.
	if err := c.stopAllWithin(rest, 2*time.Second); err != nil {
		return err
	}
	return os.RemoveAll(c.dir)
}

func (c *Cluster) stopAll(names []string) error { return c.stopAllWithin(names, 10*time.Second) }

func (c *Cluster) stopAllWithin(names []string, grace time.Duration) error {
	errs := make(chan error, len(names))
	for _, name := range names {
		go func() { errs <- c.procs.Stop(name, grace) }()
	}
	var all error
	for range names {
		all = errors.Join(all, <-errs)
	}
	return all
}

// start starts daemons that do not run, and says so.
func (c *Cluster) start(specs ...process.Spec) error {
	for _, spec := range specs {
		if _, err := c.startOne(spec); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) startOne(spec process.Spec) (started bool, err error) {
	started, err = c.procs.Ensure(spec)
	if err == nil && started {
		c.say.Say("started %s", spec.Name)
	}
	return started, err
}

// await waits until check is content. It gives up when one of the daemons that it
// depends on ends, and shows why.
func (c *Cluster) await(ctx context.Context, what string, limit time.Duration, daemons []string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	stop := c.say.Every(15*time.Second, func(elapsed time.Duration) string {
		return fmt.Sprintf("waiting for %s: %s so far", what, elapsed)
	})
	defer stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		for _, name := range daemons {
			if _, err := c.procs.Find(name); errors.Is(err, process.ErrNotRunning) {
				return fmt.Errorf("waiting for %s: %s has ended\n%s", what, name, c.procs.Tail(name, 15))
			}
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fmt.Errorf("waiting for %s: interrupted; \"up\" goes on where it stopped", what)
			}
			var tails []string
			for _, name := range daemons {
				tails = append(tails, c.procs.Tail(name, 10))
			}
			return fmt.Errorf("%s: not there after %s: %w\n%s", what, limit, last, strings.Join(tails, "\n"))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// controlPlane starts the control plane, leaving what runs, and waits for it. The
// daemons after the API server are started when it is ready.
func (c *Cluster) controlPlane(ctx context.Context, config controlplane.Config, also ...process.Spec) (*apiclient.Client, error) {
	if err := c.start(append([]process.Spec{config.Etcd(), config.APIServer()}, also...)...); err != nil {
		return nil, err
	}
	client, err := config.Client()
	if err != nil {
		return nil, err
	}
	daemons := []string{controlplane.EtcdName, controlplane.APIServerName}
	for _, spec := range also {
		daemons = append(daemons, spec.Name)
	}
	if err := c.await(ctx, "the API server", 2*time.Minute, daemons, client.Ready); err != nil {
		return nil, err
	}
	return client, c.start(config.ControllerManager(), config.Scheduler())
}

// forgetRemoved deletes the node objects of nodes that went, and then the memory of
// them.
func (c *Cluster) forgetRemoved(ctx context.Context, client *apiclient.Client, state *State) error {
	if len(state.Removing) == 0 {
		return nil
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(apiWorkers)
	names := state.Names()
	for _, n := range state.Removing {
		// A node of that name may have been asked for again meanwhile.
		if !slices.Contains(names, n.Name) {
			group.Go(func() error { return client.DeleteNode(groupCtx, n.Name) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	state.Removing = nil
	return state.save(c.dir)
}

// apiWorkers is how many requests are made at a time.
const apiWorkers = 16

// awaitNodes waits until all nodes are ready to be scheduled on.
func (c *Cluster) awaitNodes(ctx context.Context, client *apiclient.Client, names []string, limit time.Duration, daemons []string) error {
	return c.await(ctx, fmt.Sprintf("%d nodes", len(names)), limit, daemons, func(ctx context.Context) error {
		nodes, err := client.Nodes(ctx)
		if err != nil {
			return err
		}
		byName := make(map[string]apiclient.Node, len(nodes))
		for _, n := range nodes {
			byName[n.Name] = n
		}
		for _, name := range names {
			switch n, ok := byName[name]; {
			case !ok:
				return fmt.Errorf("node %s has not registered", name)
			case !n.Ready || slices.Contains(n.Taints, apiclient.NotReadyTaint):
				return fmt.Errorf("node %s is not ready", name)
			}
		}
		return nil
	})
}
