package main

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// world is the API server, and the operator's way to it.
type world struct {
	server     *harness.APIServer
	proxy      *proxy
	kubeconfig string // of the operator, by way of the proxy
	dir        string
}

func startWorld() (*world, error) {
	server, err := harness.StartAPIServer(func(environment *envtest.Environment) {
		// The API server is not what is tested for growing.
		environment.ControlPlane.GetAPIServer().Configure().
			Set("event-ttl", "2m").Set("etcd-compaction-interval", "1m")
	})
	if err != nil {
		return nil, err
	}
	w := &world{server: server}
	if err := w.admitOperator(); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return w, nil
}

// admitOperator makes the kubeconfig of the operator, which leads through the proxy.
func (w *world) admitOperator() error {
	content, err := w.server.NewAdministrator("operator")
	if err != nil {
		return err
	}
	config, err := clientcmd.Load(content)
	if err != nil {
		return err
	}
	for _, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		if err != nil {
			return err
		}
		if w.proxy, err = startProxy(server.Host); err != nil {
			return err
		}
		// The certificate is for the name that the API server has.
		cluster.Server, cluster.TLSServerName = "https://"+w.proxy.address(), server.Hostname()
	}
	if w.dir, err = os.MkdirTemp("", "soak-"); err != nil {
		return err
	}
	w.kubeconfig = filepath.Join(w.dir, "kubeconfig")
	return clientcmd.WriteToFile(*config, w.kubeconfig)
}

// stop ends the proxy and the API server.
func (w *world) stop() error {
	return errors.Join(w.proxy.stop(), w.server.Stop(), os.RemoveAll(w.dir))
}
