package cluster

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/discovery"
)

// Inventory returns every object in the cluster that can be deleted, as "resource
// namespace/name". It leaves out Events, which come and go.
func (c *Cluster) Inventory(ctx context.Context) (sets.Set[string], error) {
	resources, err := discovery.ServerPreferredResources(c.Clientset.Discovery())
	if err != nil {
		return nil, err
	}
	found := sets.New[string]()
	for _, group := range resources {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range group.APIResources {
			if resource.Name == "events" || !slices.Contains(resource.Verbs, "list") || !slices.Contains(resource.Verbs, "delete") {
				continue
			}
			list := &metav1.PartialObjectMetadataList{}
			list.SetGroupVersionKind(version.WithKind(resource.Kind + "List"))
			err := c.List(ctx, list)
			// The kind may have been removed since discovery.
			if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
				return nil, err
			}
			for i := range list.Items {
				found.Insert(resource.Name + " " + list.Items[i].Namespace + "/" + list.Items[i].Name)
			}
		}
	}
	return found, nil
}
