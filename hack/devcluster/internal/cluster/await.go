package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/apiclient"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
)

// await waits until check succeeds. It gives up when a daemon that it depends on ends, and
// shows why.
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
