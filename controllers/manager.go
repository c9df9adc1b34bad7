package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// LeaseName is the name of the Lease by which replicas elect their leader.
const LeaseName = "jobflow-operator.api.practice.com"

// ManagerOptions returns the options of the manager that no flag changes. Tests that run
// the operator in their own process start from them, too.
func ManagerOptions() ctrl.Options {
	return ctrl.Options{
		Scheme:           NewScheme(),
		Cache:            cacheOptions(),
		LeaderElectionID: LeaseName,
		// Callers must exit once mgr.Start returns: the lease is released at once, so that
		// the next leader need not wait until it expires.
		LeaderElectionReleaseOnCancel: true,
		// With --shutdown-delay-duration less than the 30 s that a pod is given to end.
		GracefulShutdownTimeout: ptr.To(20 * time.Second),
	}
}

// NewScheme returns a scheme with the types that the operator reads and writes.
func NewScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}
