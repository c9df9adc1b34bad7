package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/addons"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/packages"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

// The images that every node gets, in this order.
const (
	pauseImage = iota
	busyboxImage
	corednsImage
)

func (c *Cluster) images(programs map[toolchain.Program]string) ([]addons.Archive, error) {
	pauseVersion, err := c.tools.Version(toolchain.Pause)
	if err != nil {
		return nil, err
	}
	pause, err := addons.PauseImage(c.cache, programs[toolchain.Pause], pauseVersion)
	if err != nil {
		return nil, err
	}
	busybox, err := addons.BusyboxImage(c.cache, packages.Busybox())
	if err != nil {
		return nil, err
	}
	corednsVersion, err := c.tools.Version(toolchain.CoreDNS)
	if err != nil {
		return nil, err
	}
	coredns, err := addons.CoreDNSImage(c.cache, programs[toolchain.CoreDNS], corednsVersion)
	if err != nil {
		return nil, err
	}
	return []addons.Archive{pauseImage: pause, busyboxImage: busybox, corednsImage: coredns}, nil
}

// LoadImages imports archives into every node.
func (c *Cluster) LoadImages(ctx context.Context, archives []string) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	state, err := c.State()
	if err != nil {
		return err
	}
	if state == nil {
		return ErrNoCluster
	}
	if state.Mode == Simulated {
		c.say.Say("simulated nodes run no containers; nothing to load")
		return nil
	}
	if why := realImpossible(); why != "" {
		return fmt.Errorf("images cannot be loaded: %s", why)
	}
	if err := os.Setenv("PATH", packages.Path()); err != nil {
		return err
	}
	// A node imports one archive after another: two imports at the same time would both
	// extract a layer that they share.
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range c.nodes(state) {
		group.Go(func() error {
			for _, archive := range archives {
				out, err := n.Import(ctx, archive)
				if err != nil {
					return err
				}
				if n.Index == state.Nodes[0].Index {
					c.say.Say("%s", strings.TrimSpace(out))
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	c.say.Say("loaded %s into %s", strings.Join(archives, ", "), strings.Join(state.Names(), ", "))
	return nil
}
