package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/addons"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/apiclient"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/controlplane"
)

// awaitHeartbeats waits until kubelets that were just started have reported, since the API server
// may have an older status of their nodes.
func (c *Cluster) awaitHeartbeats(ctx context.Context, client *apiclient.Client, nodes []string, since time.Time, daemons []string) error {
	return c.await(ctx, "kubelets", 2*time.Minute, daemons, func(ctx context.Context) error {
		registered, err := client.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, name := range nodes {
			i := slices.IndexFunc(registered, func(n apiclient.Node) bool { return n.Name == name })
			if i < 0 {
				return fmt.Errorf("node %s has not registered", name)
			}
			// Timestamps of objects are cut to seconds.
			if !registered[i].Created.Before(since.Truncate(time.Second)) {
				continue
			}
			renewed, err := client.NodeRenewed(ctx, name)
			if err != nil {
				return err
			}
			if renewed.Before(since) {
				return fmt.Errorf("node %s has not reported since %s", name, renewed.Format(time.TimeOnly))
			}
		}
		return nil
	})
}

// deviceSocket is where a kubelet listens for device plugins, whatever its --root-dir.
const deviceSocket = "/var/lib/kubelet/device-plugins/kubelet.sock"

// madeDeviceSocket is when the last kubelet made it, or zero.
func madeDeviceSocket() time.Time {
	info, err := os.Lstat(deviceSocket)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// awaitDeviceSocket waits until a kubelet that was just started has made its socket.
// Each removes that of another and takes its place, but one that finds another's between
// the two ends with "address already in use": so they are started one after another.
func (c *Cluster) awaitDeviceSocket(ctx context.Context, kubelet string, before time.Time) error {
	return c.await(ctx, kubelet, 2*time.Minute, []string{kubelet}, func(context.Context) error {
		if made := madeDeviceSocket(); made.IsZero() || made.Equal(before) {
			return errors.New("it does not listen for device plugins yet")
		}
		return nil
	})
}

// awaitDNS waits until cluster DNS answers at its service address, which also shows
// that kube-proxy does its part.
func (c *Cluster) awaitDNS(ctx context.Context, client *apiclient.Client, daemons []string) error {
	return c.await(ctx, "cluster DNS", 3*time.Minute, daemons, func(ctx context.Context) error {
		available, err := client.DeploymentAvailable(ctx, addons.DNSNamespace, addons.DNSDeployment)
		if err != nil {
			return err
		}
		if !available {
			return errors.New("deployment coredns is not available (kubectl -n kube-system describe pods)")
		}
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		_, err = c.namespace().Lookup(ctx, addons.DNSIP+":53", "kubernetes.default.svc."+controlplane.ClusterDomain)
		return err
	})
}
