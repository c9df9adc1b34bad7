package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
)

// Down ends the cluster and deletes everything that it has left behind. It is no error if the
// cluster does not exist: the remains of a half-made one are removed.
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

// down stops daemons in the order that causes the fewest errors: first those that would start
// something again.
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
