package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap/zapcore"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// world is the API server, the operator's way to it, and the stand-ins.
type world struct {
	environment *envtest.Environment
	proxy       *proxy
	client      client.WithWatch // reads live
	record      *harness.Record
	kubeconfig  string // of the operator, by way of the proxy
	dir         string
	ended       chan error // of the drivers
}

func startWorld(ctx context.Context, crds string, c *census) (*world, error) {
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr), zap.Level(zapcore.ErrorLevel)))
	environment, err := apiserver.NewEnvironment()
	if err != nil {
		return nil, err
	}
	environment.CRDDirectoryPaths = []string{crds}
	scheme := controllers.NewScheme()
	w := &world{ended: make(chan error, 1), environment: environment}
	// The API server is not what is tested for growing.
	w.environment.ControlPlane.GetAPIServer().Configure().
		Set("event-ttl", "2m").Set("etcd-compaction-interval", "1m")
	config, err := w.environment.Start()
	if err != nil {
		return nil, errors.Join(err, w.environment.Stop())
	}
	config.QPS = -1
	started := func() error {
		if w.client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
			return err
		}
		if err := w.admitOperator(); err != nil {
			return err
		}
		mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}})
		if err != nil {
			return err
		}
		return w.standIn(ctx, mgr, c)
	}
	if err := started(); err != nil {
		return nil, errors.Join(err, w.environment.Stop())
	}
	return w, nil
}

// admitOperator makes the kubeconfig of the operator, which leads through the proxy.
func (w *world) admitOperator() error {
	user, err := w.environment.AddUser(envtest.User{Name: "operator", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return err
	}
	server, err := url.Parse(user.Config().Host)
	if err != nil {
		return err
	}
	if w.proxy, err = startProxy(server.Host); err != nil {
		return err
	}
	content, err := user.KubeConfig()
	if err != nil {
		return err
	}
	config, err := clientcmd.Load(content)
	if err != nil {
		return err
	}
	for _, cluster := range config.Clusters {
		// The certificate is for the name that the API server has.
		cluster.Server, cluster.TLSServerName = "https://"+w.proxy.address(), server.Hostname()
	}
	if w.dir, err = os.MkdirTemp("", "soak-"); err != nil {
		return err
	}
	w.kubeconfig = filepath.Join(w.dir, "kubeconfig")
	return clientcmd.WriteToFile(*config, w.kubeconfig)
}

// standIn starts the stand-ins and the census, and waits until they see everything.
func (w *world) standIn(ctx context.Context, mgr ctrl.Manager, c *census) error {
	var err error
	if w.record, err = harness.NewRecord(ctx, w.client, metav1.NamespaceAll); err != nil {
		return err
	}
	harness.Play(ctx, w.client, w.record, harness.PlayerOptions{Lag: time.Second, Workers: 8, PodSucceeds: c.podSucceeds})
	if err := setupDrivers(mgr, c); err != nil {
		return err
	}
	nothing := func(client.Object) {}
	for _, watched := range []struct {
		kind      client.Object
		see, gone func(client.Object)
	}{
		{&batchv1.Job{}, c.seeJob, nothing},
		{&v1alpha1.JobFlow{}, c.seeParent, c.parentGone},
		{&v1alpha1.DaemonJob{}, c.seeParent, c.parentGone},
	} {
		informer, err := mgr.GetCache().GetInformer(ctx, watched.kind)
		if err != nil {
			return err
		}
		if _, err := informer.AddEventHandler(handler(watched.see, watched.gone)); err != nil {
			return err
		}
	}
	go func() { w.ended <- mgr.Start(ctx) }()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return errors.New("the caches of the stand-ins did not fill")
	}
	return nil
}

// furnish makes what is there throughout.
func (w *world) furnish(ctx context.Context, c *census) error {
	if err := w.client.Create(ctx, build.JobTemplate(metav1.NamespaceDefault, templateOf)); err != nil {
		return fmt.Errorf("creating the JobTemplate: %w", err)
	}
	for i := range nodes {
		if err := join(ctx, w.client, c, node(i)); err != nil {
			return fmt.Errorf("creating a node: %w", err)
		}
	}
	return nil
}

// left says what there is still of the load.
func (w *world) left(ctx context.Context) ([]string, error) {
	if err := w.record.Err(); err != nil {
		return nil, err
	}
	var left []string
	for _, list := range []client.ObjectList{&v1alpha1.JobFlowList{}, &v1alpha1.DaemonJobList{}, &batchv1.JobList{}, &corev1.PodList{}} {
		if err := w.client.List(ctx, list); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			left = append(left, describe(item.(client.Object)))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return left, nil
}

func describe(object client.Object) string {
	switch object.(type) {
	case *v1alpha1.JobFlow, *v1alpha1.DaemonJob:
		summary, _ := standing(object)
		return fmt.Sprintf("%s, %s: %s", object.GetName(), summary.State, summary.Message)
	default:
		return fmt.Sprintf("%T %s", object, object.GetName())
	}
}

// stop ends the stand-ins and the API server.
func (w *world) stop(cancel context.CancelFunc) error {
	cancel()
	return errors.Join(<-w.ended, w.proxy.stop(), w.environment.Stop(), os.RemoveAll(w.dir))
}
