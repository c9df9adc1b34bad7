package controllers

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

// childCache holds the Jobs and pods that the operator made, of every Job and pod only
// what is read. A cluster with many other Jobs costs nothing.
//
// It is not the manager's cache, since that can hold only objects of the API's own
// types: see child_records.go.
type childCache struct {
	jobs, pods toolscache.SharedIndexInformer
}

// byController finds Jobs by the UID of their JobFlow or DaemonJob, and pods by that
// of their Job.
const byController = "controllerUID"

// newChildCache watches one namespace, or all where it is empty.
func newChildCache(mgr ctrl.Manager, namespace string) (*childCache, error) {
	jobs, err := newInformer(mgr, namespace, "jobs", batchv1.SchemeGroupVersion.WithKind("Job"), &batchv1.Job{}, &batchv1.JobList{}, recordJob)
	if err != nil {
		return nil, err
	}
	pods, err := newInformer(mgr, namespace, "pods", corev1.SchemeGroupVersion.WithKind("Pod"), &corev1.Pod{}, &corev1.PodList{}, recordPod)
	if err != nil {
		return nil, err
	}
	c := &childCache{jobs: jobs, pods: pods}
	return c, mgr.Add(c)
}

func newInformer(mgr ctrl.Manager, namespace, resource string, kind schema.GroupVersionKind, object, list runtime.Object, transform toolscache.TransformFunc) (toolscache.SharedIndexInformer, error) {
	rest, err := apiutil.RESTClientForGVK(kind, false, false, mgr.GetConfig(), serializer.NewCodecFactory(mgr.GetScheme()), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", resource, err)
	}
	parameters := runtime.NewParameterCodec(mgr.GetScheme())
	source := &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = v1alpha1.KindLabel
			into := list.DeepCopyObject()
			return into, rest.Get().NamespaceIfScoped(namespace, namespace != "").Resource(resource).VersionedParams(&options, parameters).Do(ctx).Into(into)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = v1alpha1.KindLabel
			options.Watch = true
			return rest.Get().NamespaceIfScoped(namespace, namespace != "").Resource(resource).VersionedParams(&options, parameters).Watch(ctx)
		},
	}
	informer := toolscache.NewSharedIndexInformer(source, object, 0, toolscache.Indexers{byController: controllerUID})
	return informer, informer.SetTransform(transform)
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
func (c *childCache) Start(ctx context.Context) error {
	go c.pods.RunWithContext(ctx)
	c.jobs.RunWithContext(ctx)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a replica that waits
// for its turn has its caches full.
func (c *childCache) NeedLeaderElection() bool { return false }

// jobsOf are the Jobs that a parent controls, but for those that ended and are done
// with. They are read only.
func (c *childCache) jobsOf(parent types.UID, doneWith func(*endedJob) bool) ([]*batchv1.Job, error) {
	found, err := c.jobs.GetIndexer().ByIndex(byController, string(parent))
	if err != nil {
		return nil, fmt.Errorf("looking for Jobs in the cache: %w", err)
	}
	list := make([]*batchv1.Job, 0, len(found))
	for _, object := range found {
		switch object := object.(type) {
		case *endedJob:
			if !doneWith(object) {
				list = append(list, object.job())
			}
		case *batchv1.Job:
			list = append(list, object)
		}
	}
	return list, nil
}

// podsOf are the pods that a Job controls, but for those that say nothing any more.
// They are read only.
func (c *childCache) podsOf(job types.UID) ([]*corev1.Pod, error) {
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
