// Package cluster starts a cluster, stores its state, and removes it.
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

// ErrNoCluster means that there is no such cluster.
var ErrNoCluster = errors.New("there is no cluster; start one with \"devcluster up\"")

// lock keeps other runs off the cluster.
func (c *Cluster) lock(ctx context.Context) (unlock func(), err error) {
	// Next to the state directory, because "down" deletes that.
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

// start starts daemons that do not run, and prints their names.
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

// forgetRemoved deletes the node objects of removed nodes, and then the nodes from the state.
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
