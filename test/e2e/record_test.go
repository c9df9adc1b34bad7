package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// record remembers every Job and pod that a namespace ever had, those that are
// gone again too: a Job that ran twice cannot hide.
type record struct {
	mu   sync.Mutex
	jobs map[string][]types.UID
	pods []*corev1.Pod // as they were last seen, in order of creation
	gap  error         // why the record is not complete
}

// recordFrom records a namespace that is still empty, for as long as ctx lasts.
func recordFrom(ctx context.Context, namespace string) *record {
	GinkgoHelper()
	r := &record{jobs: map[string][]types.UID{}}
	jobs := clientset.BatchV1().Jobs(namespace)
	jobList, err := jobs.List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	r.follow(ctx, jobList.ResourceVersion, jobs.Watch)
	pods := clientset.CoreV1().Pods(namespace)
	podList, err := pods.List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	r.follow(ctx, podList.ResourceVersion, pods.Watch)
	return r
}

// recordOfSpec records until the spec ends.
func recordOfSpec(namespace string) *record {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	return recordFrom(ctx, namespace)
}

// follow reads a watch that takes itself up again where it broke off, so that it
// misses nothing.
func (r *record) follow(ctx context.Context, from string, open cache.WatchFuncWithContext) {
	GinkgoHelper()
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, from, &cache.ListWatch{WatchFuncWithContext: open})
	Expect(err).NotTo(HaveOccurred())
	go func() {
		defer GinkgoRecover()
		for event := range watcher.ResultChan() {
			r.note(event)
		}
		if ctx.Err() == nil {
			r.mark(fmt.Errorf("the watch ended"))
		}
	}()
}

func (r *record) mark(gap error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gap == nil {
		r.gap = gap
	}
}

func (r *record) note(event watch.Event) {
	if event.Type == watch.Error {
		r.mark(fmt.Errorf("the watch broke off: %v", event.Object))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch object := event.Object.(type) {
	case *batchv1.Job:
		if !slices.Contains(r.jobs[object.Name], object.UID) {
			r.jobs[object.Name] = append(r.jobs[object.Name], object.UID)
			saw("Job %s", object.Name)
		}
	case *corev1.Pod:
		i := slices.IndexFunc(r.pods, func(pod *corev1.Pod) bool { return pod.UID == object.UID })
		if i < 0 {
			r.pods = append(r.pods, object)
			return
		}
		if object.Status.Phase != r.pods[i].Status.Phase {
			saw("pod %s %s on %s", object.Name, object.Status.Phase, object.Spec.NodeName)
		}
		r.pods[i] = object
	}
}

// created counts by name how often a Job was created.
func (r *record) created() map[string]int {
	GinkgoHelper()
	r.mu.Lock()
	defer r.mu.Unlock()
	Expect(r.gap).NotTo(HaveOccurred())
	counts := map[string]int{}
	for name, uids := range r.jobs {
		counts[name] = len(uids)
	}
	return counts
}

// onceEach is what created is when each of these Jobs was created once and no
// other was.
func onceEach(jobs ...string) map[string]int {
	counts := map[string]int{}
	for _, job := range jobs {
		counts[job] = 1
	}
	return counts
}

// podsOf are the pods that a Job had, in order of creation.
func (r *record) podsOf(job string) []*corev1.Pod {
	GinkgoHelper()
	r.mu.Lock()
	defer r.mu.Unlock()
	Expect(r.gap).NotTo(HaveOccurred())
	var pods []*corev1.Pod
	for _, pod := range r.pods {
		if pod.Labels[batchv1.JobNameLabel] == job {
			pods = append(pods, pod)
		}
	}
	return pods
}

// podOf is the only pod that a Job had.
func (r *record) podOf(job string) *corev1.Pod {
	GinkgoHelper()
	Eventually(func() []*corev1.Pod { return r.podsOf(job) }).Should(HaveLen(1), "pods of Job %s", job)
	return r.podsOf(job)[0]
}

// endedPodsOf are the pods that a Job had, at least one, once all have ended. A
// watch may be a moment behind what the operator saw.
func (r *record) endedPodsOf(job string) []*corev1.Pod {
	GinkgoHelper()
	ended := HaveField("Status.ContainerStatuses", ContainElement(HaveField("State.Terminated", Not(BeNil()))))
	Eventually(func() []*corev1.Pod { return r.podsOf(job) }).Should(And(Not(BeEmpty()), HaveEach(ended)), "pods of Job %s", job)
	return r.podsOf(job)
}
