// Package record remembers what a namespace had, by watch, also what is gone again: a Job
// that was created twice cannot hide.
package record

import (
	"context"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
)

// Record remembers every Job and pod that a namespace had.
type Record struct {
	mu   sync.Mutex
	jobs []*Job
	pods []*corev1.Pod // as they were last seen, in order of creation
	gap  error         // why the record may not be complete
}

// Job is a Job as it was last seen.
type Job struct {
	*batchv1.Job
	// Seen is when it was seen first.
	Seen time.Time
}

// Start records a namespace until the spec ends.
func Start(c client.WithWatch, namespace string) *Record {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	return StartWith(ctx, c, namespace)
}

// StartWith records a namespace for as long as ctx lasts.
func StartWith(ctx context.Context, c client.WithWatch, namespace string) *Record {
	GinkgoHelper()
	r := &Record{}
	Follow(ctx, c, &batchv1.JobList{}, r.Note, r.noteGap, client.InNamespace(namespace))
	Follow(ctx, c, &corev1.PodList{}, r.Note, r.noteGap, client.InNamespace(namespace))
	return r
}

// Note remembers a Job or pod.
func (r *Record) Note(object client.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch object := object.(type) {
	case *batchv1.Job:
		i := slices.IndexFunc(r.jobs, func(job *Job) bool { return job.UID == object.UID })
		if i < 0 {
			r.jobs = append(r.jobs, &Job{object, time.Now()})
			testkit.Saw("Job %s", object.Name)
			return
		}
		r.jobs[i] = &Job{object, r.jobs[i].Seen}
	case *corev1.Pod:
		i := slices.IndexFunc(r.pods, func(pod *corev1.Pod) bool { return pod.UID == object.UID })
		if i < 0 {
			r.pods = append(r.pods, object)
			return
		}
		if object.Status.Phase != r.pods[i].Status.Phase {
			testkit.Saw("pod %s %s on %s", object.Name, object.Status.Phase, object.Spec.NodeName)
		}
		r.pods[i] = object
	}
}

func (r *Record) noteGap(gap error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gap == nil {
		r.gap = gap
	}
}

// Jobs are all Jobs, in the order in which they were first seen. The record may have a gap,
// as it has when the API server was restarted.
func (r *Record) Jobs() []*Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.jobs)
}

// Created counts by name how often a Job was created. It fails if the record has a gap.
func (r *Record) Created() map[string]int {
	GinkgoHelper()
	r.mu.Lock()
	defer r.mu.Unlock()
	Expect(r.gap).NotTo(HaveOccurred())
	counts := map[string]int{}
	for _, job := range r.jobs {
		counts[job.Name]++
	}
	return counts
}

// OnceEach is what Created returns when each of these Jobs was created once and no other was.
func OnceEach(jobs ...string) map[string]int {
	counts := map[string]int{}
	for _, job := range jobs {
		counts[job] = 1
	}
	return counts
}

// PodsOf are the pods that a Job had, in order of creation.
func (r *Record) PodsOf(job string) []*corev1.Pod {
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

// PodOf is the only pod that a Job had.
func (r *Record) PodOf(job string) *corev1.Pod {
	GinkgoHelper()
	Eventually(r.PodsOf).WithArguments(job).Should(HaveLen(1), "pods of Job %s", job)
	return r.PodsOf(job)[0]
}

// AwaitRunning waits until a pod of a Job runs.
func (r *Record) AwaitRunning(job string) {
	GinkgoHelper()
	Eventually(r.PodsOf).WithArguments(job).Should(ContainElement(HaveField("Status.Phase", corev1.PodRunning)), "pods of Job %s", job)
}

// EndedPodsOf are the pods that a Job had, at least one, once all have ended. The record may
// be a moment behind what the operator saw.
func (r *Record) EndedPodsOf(job string) []*corev1.Pod {
	GinkgoHelper()
	ended := HaveField("Status.ContainerStatuses", ContainElement(HaveField("State.Terminated", Not(BeNil()))))
	Eventually(r.PodsOf).WithArguments(job).Should(And(Not(BeEmpty()), HaveEach(ended)), "pods of Job %s", job)
	return r.PodsOf(job)
}
