// Package childcache caches the Jobs and pods that the operator made, and enqueues their
// parents when they change. A cluster with many other Jobs costs nothing.
//
//	cache.go   the informers, and what is read from them
//	records.go what is kept of each Job and pod
//	events.go  which changes cause a reconcile
//
// It is not the manager's cache, since that can hold only objects of the API's own types.
package childcache

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// Cache holds the Jobs and pods that carry the operator's label, of each only what is read.
type Cache struct {
	jobs, pods toolscache.SharedIndexInformer
}

// byController finds Jobs by the UID of their JobFlow or DaemonJob, and pods by that
// of their Job.
const byController = "controllerUID"

// resource is what the informers of Jobs and pods differ in.
type resource struct {
	name         string
	kind         schema.GroupVersionKind
	object, list runtime.Object
	record       toolscache.TransformFunc
}

// New adds a cache of one namespace to the manager, or of all where it is empty.
func New(mgr ctrl.Manager, namespace string) (*Cache, error) {
	jobs, err := newInformer(mgr, namespace, resource{"jobs", batchv1.SchemeGroupVersion.WithKind("Job"), &batchv1.Job{}, &batchv1.JobList{}, recordJob})
	if err != nil {
		return nil, err
	}
	pods, err := newInformer(mgr, namespace, resource{"pods", corev1.SchemeGroupVersion.WithKind("Pod"), &corev1.Pod{}, &corev1.PodList{}, recordPod})
	if err != nil {
		return nil, err
	}
	c := &Cache{jobs: jobs, pods: pods}
	return c, mgr.Add(c)
}

func newInformer(mgr ctrl.Manager, namespace string, r resource) (toolscache.SharedIndexInformer, error) {
	rest, err := apiutil.RESTClientForGVK(r.kind, false, false, mgr.GetConfig(), serializer.NewCodecFactory(mgr.GetScheme()), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", r.name, err)
	}
	parameters := runtime.NewParameterCodec(mgr.GetScheme())
	source := &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = v1alpha1.KindLabel
			into := r.list.DeepCopyObject()
			return into, rest.Get().NamespaceIfScoped(namespace, namespace != "").Resource(r.name).VersionedParams(&options, parameters).Do(ctx).Into(into)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = v1alpha1.KindLabel
			options.Watch = true
			return rest.Get().NamespaceIfScoped(namespace, namespace != "").Resource(r.name).VersionedParams(&options, parameters).Watch(ctx)
		},
	}
	informer := toolscache.NewSharedIndexInformer(source, r.object, 0, toolscache.Indexers{byController: controllerUID})
	return informer, informer.SetTransform(r.record)
}

func controllerUID(object any) ([]string, error) {
	switch object := object.(type) {
	case *endedJob:
		return []string{string(object.owner.Value().uid)}, nil
	case metav1.Object:
		if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
			return []string{string(owner.UID)}, nil
		}
	}
	return nil, nil
}

// Start implements manager.Runnable.
func (c *Cache) Start(ctx context.Context) error {
	go c.pods.RunWithContext(ctx)
	c.jobs.RunWithContext(ctx)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a replica that waits
// for the lease has its caches full.
func (c *Cache) NeedLeaderElection() bool { return false }

// Jobs returns the Jobs that a parent controls. It leaves out those that ended, whose
// end is recorded in the parent's status, and of which nothing is left to change: in a large
// flow, most. The Jobs are read only.
func (c *Cache) Jobs(parent types.UID, recorded func(run string, job types.UID) bool) ([]*batchv1.Job, error) {
	found, err := c.jobs.GetIndexer().ByIndex(byController, string(parent))
	if err != nil {
		return nil, fmt.Errorf("looking for Jobs in the cache: %w", err)
	}
	list := make([]*batchv1.Job, 0, len(found))
	for _, object := range found {
		switch object := object.(type) {
		case *endedJob:
			if object.mayChange() || !recorded(object.annotations.Value().run, object.uid) {
				list = append(list, object.job())
			}
		case *batchv1.Job:
			list = append(list, object)
		}
	}
	return list, nil
}

// Pods returns the pods that a Job controls, without those that have ended and been
// counted. They are read only.
func (c *Cache) Pods(job types.UID) ([]*corev1.Pod, error) {
	found, err := c.pods.GetIndexer().ByIndex(byController, string(job))
	if err != nil {
		return nil, fmt.Errorf("looking for pods in the cache: %w", err)
	}
	list := make([]*corev1.Pod, 0, len(found))
	for _, object := range found {
		if pod, ok := object.(*corev1.Pod); ok {
			list = append(list, pod)
		}
	}
	return list, nil
}
