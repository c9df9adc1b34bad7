package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Kill kills daemons, as a crash does. "up" starts them again.
func (c *Cluster) Kill(ctx context.Context, daemons []string) error {
	return c.eachDaemon(ctx, daemons, "killed", c.procs.Kill)
}

// Pause stops daemons like a machine that hangs: their connections stay open, and nothing
// answers. "up" resumes them, too.
func (c *Cluster) Pause(ctx context.Context, daemons []string) error {
	return c.eachDaemon(ctx, daemons, "paused", c.procs.Pause)
}

// Resume continues paused daemons.
func (c *Cluster) Resume(ctx context.Context, daemons []string) error {
	return c.eachDaemon(ctx, daemons, "resumed", c.procs.Resume)
}

// eachDaemon does something to daemons, unless one of the names is wrong.
func (c *Cluster) eachDaemon(ctx context.Context, daemons []string, done string, do func(name string) error) error {
	state, unlock, err := c.existing(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for _, name := range daemons {
		if there := state.daemons(); !slices.Contains(there, name) {
			return fmt.Errorf("no daemon %q; there are: %s", name, strings.Join(there, ", "))
		}
	}
	for _, name := range daemons {
		if err := do(name); err != nil {
			return err
		}
		c.say.Say("%s %s", done, name)
	}
	return nil
}

// existing locks a cluster that has to exist.
func (c *Cluster) existing(ctx context.Context) (*State, func(), error) {
	state, err := c.State()
	if err == nil && state == nil {
		err = ErrNoCluster
	}
	if err != nil {
		return nil, nil, err
	}
	unlock, err := c.lock(ctx)
	return state, unlock, err
}
