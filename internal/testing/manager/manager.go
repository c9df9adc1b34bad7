// Package manager has the options of operators that run in the process of a test.
package manager

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/jobflow-operator/jobflow-operator/controllers"
)

// Options returns the options of the operator's manager for several operators in one process.
// Each sees only its namespace and the nodes that the selector matches; without these it sees
// all.
func Options(namespace string, nodes labels.Selector) ctrl.Options {
	options := controllers.ManagerOptions()
	if namespace != "" {
		options.Cache.DefaultNamespaces = map[string]cache.Config{namespace: {}}
	}
	if nodes != nil {
		for object, by := range options.Cache.ByObject {
			if _, isNode := object.(*corev1.Node); isNode {
				by.Label = nodes
				options.Cache.ByObject[object] = by
			}
		}
	}
	options.Metrics = server.Options{BindAddress: "0"}
	options.Controller = config.Controller{SkipNameValidation: ptr.To(true)}
	return options
}
