package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
)

const (
	ownNamespace = "jobflow-bench"
	operatorUser = "system:serviceaccount:" + ownNamespace + ":operator"
)

// bench is one run of the benchmark against one cluster.
type bench struct {
	dir      string // for logs and kubeconfigs
	manager  string // the operator's program
	auditLog string

	admin kubernetes.Interface
	ours  client.WithWatch // for objects of ours
	// The floor and the operator are two service accounts: the API server's priority
	// and fairness, which administrators are exempt from, counts for both.
	floor              client.WithWatch
	operatorUser       kubernetes.Interface
	operatorKubeconfig string

	nodeNames []string
	runs      int // of namespaces, for their names
	markers   int
	say       func(format string, args ...any)
}

// connect makes the clients and the two users.
func (b *bench) connect(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	if b.admin, err = protobufClient(config); err != nil {
		return err
	}
	if b.ours, err = client.NewWithWatch(config, client.Options{Scheme: controllers.NewScheme()}); err != nil {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ownNamespace}}
	if _, err := b.admin.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	floor, err := b.user(ctx, config, "floor", "cluster-admin")
	if err != nil {
		return err
	}
	if b.floor, err = client.NewWithWatch(floor, client.Options{Scheme: controllers.NewScheme()}); err != nil {
		return err
	}
	operator, err := b.user(ctx, config, "operator", "manager-role")
	if err != nil {
		return err
	}
	if b.operatorUser, err = protobufClient(operator); err != nil {
		return err
	}
	b.operatorKubeconfig = b.dir + "/operator.kubeconfig"
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: operator.Host, CertificateAuthorityData: operator.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": {Token: operator.BearerToken}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	}, b.operatorKubeconfig)
}

func protobufClient(config *rest.Config) (kubernetes.Interface, error) {
	config = rest.CopyConfig(config)
	config.AcceptContentTypes, config.ContentType = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf
	return kubernetes.NewForConfig(config)
}

// user is a service account with a cluster role.
func (b *bench) user(ctx context.Context, admin *rest.Config, name, role string) (*rest.Config, error) {
	token, err := apiserver.NewServiceAccount(ctx, b.ours, ownNamespace, name, role)
	if err != nil {
		return nil, err
	}
	config := rest.AnonymousClientConfig(admin)
	if err := rest.LoadTLSFiles(admin); err != nil {
		return nil, err
	}
	config.CAData = admin.CAData
	config.BearerToken, config.QPS = token, -1
	return config, nil
}

func (b *bench) newNamespace(ctx context.Context, key string) (string, error) {
	b.runs++
	name := fmt.Sprintf("bench-%s-%d-%d", key, time.Now().Unix(), b.runs)
	_, err := b.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	return name, err
}

// clear deletes a namespace, and waits until the garbage collector is done with it:
// it would share its controller's limits with what is measured next.
func (b *bench) clear(ctx context.Context, namespace string) error {
	if err := b.admin.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := b.admin.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}
