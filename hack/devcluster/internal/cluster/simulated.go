package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/simulated"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

const kwokName = simulated.KwokName

// upSimulated brings up a control plane on loopback and nodes played by kwok.
func (c *Cluster) upSimulated(ctx context.Context, state *State) error {
	programs, err := c.tools.Ensure(ctx,
		toolchain.Etcd, toolchain.APIServer, toolchain.ControllerManager, toolchain.Scheduler,
		toolchain.Kubectl, toolchain.Kwok)
	if err != nil {
		return err
	}
	if state.APIPort == 0 {
		for _, port := range []*int{&state.APIPort, &state.EtcdPort, &state.PeerPort} {
			if *port, err = freePort(0); err != nil {
				return err
			}
		}
	}
	if err := state.save(c.dir); err != nil {
		return err
	}
	config := controlplane.Config{
		Dir: c.dir, Programs: programs,
		Address: "127.0.0.1",
		APIPort: state.APIPort, EtcdPort: state.EtcdPort, PeerPort: state.PeerPort,
		ExternalURL: fmt.Sprintf("https://127.0.0.1:%d", state.APIPort),
		SyncEtcd:    state.SyncEtcd,
		AuditPolicy: state.AuditPolicy,
		QuietNodes:  true,
	}
	if err := config.EnsureCredentials(); err != nil {
		return err
	}
	client, err := c.controlPlane(ctx, config)
	if err != nil {
		return err
	}
	kwok, err := simulated.Kwok(programs[toolchain.Kwok], config.InternalKubeconfig(), filepath.Join(c.dir, "config", "kwok.yaml"))
	if err != nil {
		return err
	}
	if err := c.start(kwok); err != nil {
		return err
	}
	if err := c.forgetRemoved(ctx, client, state); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(apiWorkers)
	for _, n := range state.Nodes {
		group.Go(func() error { return client.CreateNode(groupCtx, simulated.Node(n.Name)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.awaitNodes(ctx, client, state.Names(), time.Minute+time.Duration(len(state.Nodes))*100*time.Millisecond,
		[]string{kwokName, controlplane.ControllerManagerName, controlplane.SchedulerName})
}
