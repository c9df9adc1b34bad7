// Package record records every Job and pod that a namespace had, for the specs of a suite.
package record

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// Record is the history of a namespace. Its methods fail the spec if the history may be
// incomplete.
type Record struct{ history.History }

// Start records a namespace until the spec ends.
func Start(c client.WithWatch, namespace string) *Record {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	return StartWith(ctx, c, namespace)
}

// StartWith records a namespace until ctx ends.
func StartWith(ctx context.Context, c client.WithWatch, namespace string) *Record {
	GinkgoHelper()
	r := &Record{}
	r.OnChange(show)
	kinds := []client.ObjectList{&batchv1.JobList{}, &corev1.PodList{}}
	Expect(r.Follow(ctx, c, kinds, client.InNamespace(namespace))).To(Succeed())
	return r
}

// show logs new Jobs and the phases of pods.
func show(change history.Change) {
	switch object := change.Object.(type) {
	case *batchv1.Job:
		if change.Before == nil {
			testkit.Saw("Job %s", object.Name)
		}
	case *corev1.Pod:
		if before, ok := change.Before.(*corev1.Pod); ok && object.Status.Phase != before.Status.Phase {
			testkit.Saw("pod %s %s on %s", object.Name, object.Status.Phase, object.Spec.NodeName)
		}
	}
}

// Created returns how often each Job was created, by name.
func (r *Record) Created() map[string]int {
	GinkgoHelper()
	Expect(r.Err()).NotTo(HaveOccurred())
	counts := map[string]int{}
	for _, job := range history.Entries[*batchv1.Job](&r.History) {
		counts[job.Object.Name]++
	}
	return counts
}

// OnceEach returns what Created returns if each of these Jobs was created once, and no others.
func OnceEach(jobs ...string) map[string]int {
	counts := map[string]int{}
	for _, job := range jobs {
		counts[job] = 1
	}
	return counts
}

// PodsOf returns the pods that a Job had, in order of creation.
func (r *Record) PodsOf(job string) []*corev1.Pod {
	GinkgoHelper()
	Expect(r.Err()).NotTo(HaveOccurred())
	var pods []*corev1.Pod
	for _, pod := range history.Entries[*corev1.Pod](&r.History) {
		if pod.Object.Labels[batchv1.JobNameLabel] == job {
			pods = append(pods, pod.Object)
		}
	}
	return pods
}

// PodOf waits for the pod of a Job, and fails the spec if the Job had more than one.
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

// EndedPodsOf waits until all pods of a Job have ended, and returns them, at least one. It waits
// because the record may lag behind what the operator saw.
func (r *Record) EndedPodsOf(job string) []*corev1.Pod {
	GinkgoHelper()
	ended := HaveField("Status.ContainerStatuses", ContainElement(HaveField("State.Terminated", Not(BeNil()))))
	Eventually(r.PodsOf).WithArguments(job).Should(And(Not(BeEmpty()), HaveEach(ended)), "pods of Job %s", job)
	return r.PodsOf(job)
}
