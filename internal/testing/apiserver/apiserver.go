// Package apiserver starts an API server for tests, and creates users for it.
package apiserver

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// NewEnvironment returns an environment that is not started yet: kube-apiserver and etcd, with
// the CRDs and no controllers. It replaces envtest's time limits of 10 and 20 s, which are too
// short for a busy machine.
func NewEnvironment() (*envtest.Environment, error) {
	// With USE_EXISTING_CLUSTER=true envtest starts no API server.
	existing, _ := strconv.ParseBool(os.Getenv("USE_EXISTING_CLUSTER"))
	if os.Getenv("KUBEBUILDER_ASSETS") == "" && !existing {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: make test sets it, and so does: export KUBEBUILDER_ASSETS=$(bin/devcluster assets)")
	}
	return &envtest.Environment{
		CRDDirectoryPaths:        []string{repository.Path("config/crd/bases")},
		ErrorIfCRDPathMissing:    true,
		CRDInstallOptions:        envtest.CRDInstallOptions{MaxTime: limit.Hang},
		WebhookInstallOptions:    envtest.WebhookInstallOptions{MaxTime: limit.Hang},
		ControlPlaneStartTimeout: limit.Hang,
		ControlPlaneStopTimeout:  limit.Hang,
	}, nil
}

// Start applies changes to a new environment, starts it, and stops it when the test ends.
func Start(t testing.TB, changes ...func(*envtest.Environment)) *envtest.Environment {
	t.Helper()
	environment, err := NewEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(environment)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error("stopping the API server:", err)
		}
	})
	if _, err := environment.Start(); err != nil {
		t.Fatal(err)
	}
	return environment
}

// WriteKubeconfig adds a user and writes the user's kubeconfig to path.
func WriteKubeconfig(environment *envtest.Environment, user envtest.User, path string) error {
	added, err := environment.AddUser(user, nil)
	if err != nil {
		return err
	}
	content, err := added.KubeConfig()
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// NewServiceAccount creates a service account unless it exists, binds it to cluster roles, and
// returns a token for it that outlasts every test.
func NewServiceAccount(ctx context.Context, c client.Client, namespace, name string, clusterRoles ...string) (token string, err error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := c.Create(ctx, account); client.IgnoreAlreadyExists(err) != nil {
		return "", err
	}
	for _, role := range clusterRoles {
		err := c.Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}},
		})
		if client.IgnoreAlreadyExists(err) != nil {
			return "", err
		}
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(6 * 60 * 60))}}
	err = c.SubResource("token").Create(ctx, account, request)
	return request.Status.Token, err
}
