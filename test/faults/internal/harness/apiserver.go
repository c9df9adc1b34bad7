package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
)

// APIServer is a kube-apiserver with its etcd and our CRDs, and nothing else: no Job
// controller, no garbage collector, no kubelet.
type APIServer struct {
	// Config is for clients, without a limit of their own.
	Config *rest.Config
	// Client is the harness's own; no fault stands between it and the API server.
	Client client.WithWatch

	direct      rest.Interface
	mapper      meta.RESTMapper
	environment *envtest.Environment
}

// StartAPIServer applies changes to the environment and starts it. KUBEBUILDER_ASSETS names the
// directory of the programs.
func StartAPIServer(configure ...func(*envtest.Environment)) (*APIServer, error) {
	// Operators that cannot reach the API server say so without end.
	log.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())

	environment, err := apiserver.NewEnvironment()
	if err != nil {
		return nil, err
	}
	environment.ControlPlane.GetAPIServer().Configure().
		// There is no node controller that would take its taint off a new node again.
		Set("disable-admission-plugins", "ServiceAccount", "TaintNodesByCondition").
		Set("max-requests-inflight", "4000").
		Set("max-mutating-requests-inflight", "2000")
	for _, change := range configure {
		change(environment)
	}
	config, err := environment.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the API server: %w", err), environment.Stop())
	}
	s := &APIServer{Config: config, environment: environment}
	if err := s.connect(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *APIServer) connect() error {
	s.Config.QPS = -1
	httpClient, err := rest.HTTPClientFor(s.Config)
	if err != nil {
		return fmt.Errorf("making an HTTP client: %w", err)
	}
	// One for all operators: each would ask the same.
	if s.mapper, err = apiutil.NewDynamicRESTMapper(s.Config, httpClient); err != nil {
		return fmt.Errorf("reading what the API server has: %w", err)
	}
	clientset, err := kubernetes.NewForConfigAndClient(s.Config, httpClient)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	s.direct = clientset.RESTClient()
	if s.Client, err = client.NewWithWatch(s.Config, client.Options{Scheme: controllers.NewScheme(), Mapper: s.mapper}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	return nil
}

// Patch merges JSON into the object at a path of the API.
func (s *APIServer) Patch(ctx context.Context, path, patch string) error {
	return s.direct.Patch(types.MergePatchType).AbsPath(path).Body([]byte(patch)).Do(ctx).Error()
}

// FreeLease releases the lease of the operators in a namespace, as a leader does when it shuts
// down.
func (s *APIServer) FreeLease(ctx context.Context, namespace string) error {
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: controllers.LeaseName}}
	return s.Client.Patch(ctx, lease, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"holderIdentity":""}}`)))
}

// NewAdministrator makes a user who may do anything, and returns its kubeconfig.
func (s *APIServer) NewAdministrator(name string) ([]byte, error) {
	user, err := s.environment.AddUser(envtest.User{Name: name, Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, err
	}
	return user.KubeConfig()
}

// Stop ends the API server and etcd, and throws away what they held.
func (s *APIServer) Stop() error { return s.environment.Stop() }

// NewNamespace makes a namespace of a new name.
func (s *APIServer) NewNamespace(ctx context.Context) (string, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "faults-"}}
	if err := s.Client.Create(ctx, namespace); err != nil {
		return "", fmt.Errorf("making a namespace: %w", err)
	}
	return namespace.Name, nil
}
