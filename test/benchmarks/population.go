package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/jobcontroller"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// population is what is in a cluster before a workload is measured.
type population struct {
	// finishedFlows are flows of five steps that are Complete, with their Jobs and
	// the pods of these.
	finishedFlows int
	// foreignJobs are Jobs that nobody of ours made.
	foreignJobs int
}

// writers is how many objects are written at a time.
const writers = 32

// notNative keeps the Job controller from Jobs that only have to be there.
const notNative = "jobflow.bench/nobody"

// populate fills a namespace.
func (b *bench) populate(ctx context.Context, p *population) error {
	namespace, err := b.newNamespace(ctx, "population")
	if err != nil {
		return err
	}
	if err := b.each(ctx, "finished flows", p.finishedFlows, func(ctx context.Context, i int) error {
		return b.finishedFlow(ctx, diamond(fmt.Sprintf("finished-%d", i)), namespace)
	}); err != nil {
		return err
	}
	return b.each(ctx, "Jobs of others", p.foreignJobs, func(ctx context.Context, i int) error {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("foreign-%d", i)}, Spec: *jobSpec()}
		job.Spec.ManagedBy = new(notNative)
		job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
		_, err := b.admin.BatchV1().Jobs(namespace).Create(ctx, job, metav1.CreateOptions{})
		return err
	})
}

// each calls write n times, several at a time, and says how far it is.
func (b *bench) each(ctx context.Context, what string, n int, write func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	said := time.Now()
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		if time.Since(said) > 15*time.Second {
			said = time.Now()
			b.say("  %d of %d %s are there", i, n, what)
		}
		group.Go(func() error { return write(ctx, i) })
	}
	return group.Wait()
}

// finishedFlow writes a flow as the operator and the Job controller leave it behind:
// its status is computed by the operator's own code.
func (b *bench) finishedFlow(ctx context.Context, flow *v1alpha1.JobFlow, namespace string) error {
	flow.Namespace = namespace
	if err := b.ours.Create(ctx, flow); err != nil {
		return err
	}
	now := metav1.Now()
	p := plan.Plan{StartTime: &now}
	for i := range flow.Spec.Flows {
		job, err := b.finishedJob(ctx, jobs.ForStep(flow, &flow.Spec.Flows[i], flow.Spec.Flows[i].JobTemplate), now)
		if err != nil {
			return err
		}
		p.Runs = append(p.Runs, v1alpha1.RunStatus{Name: flow.Spec.Flows[i].Name})
		p.RecordCreated(i, job)
	}
	flow.Status = status.Flow(flow, &p, now.Time)
	return b.ours.Status().Update(ctx, flow)
}

func (b *bench) finishedJob(ctx context.Context, job *batchv1.Job, now metav1.Time) (*batchv1.Job, error) {
	job.Spec.ManagedBy = new(notNative)
	job, err := b.admin.BatchV1().Jobs(job.Namespace).Create(ctx, job, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	jobcontroller.End(job, batchv1.JobComplete, batchv1.JobReasonCompletionsReached, "Reached expected number of succeeded pods")
	if job, err = b.admin.BatchV1().Jobs(job.Namespace).UpdateStatus(ctx, job, metav1.UpdateOptions{}); err != nil {
		return nil, err
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: job.Name + "-", Labels: job.Spec.Template.Labels, Annotations: job.Spec.Template.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: job.Spec.Template.Spec,
	}
	// No scheduler takes it.
	pod.Spec.SchedulerName = "nobody"
	if pod, err = b.admin.CoreV1().Pods(job.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	pod.Status.Phase, pod.Status.StartTime = corev1.PodSucceeded, &now
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.PodScheduled, corev1.PodReady, corev1.ContainersReady} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "main", Image: "busybox:1.28", ImageID: "sha256:0000000000000000000000000000000000000000000000000000000000000000",
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}},
	}}
	_, err = b.admin.CoreV1().Pods(job.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return job, err
}

// setNodes makes sure that there are n simulated nodes, and returns what takes those
// away again that were added.
func (b *bench) setNodes(ctx context.Context, n int) (restore func(context.Context) error, err error) {
	var added []string
	restore = func(ctx context.Context) error {
		for _, name := range added {
			if err := b.admin.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
		return b.readNodes(ctx)
	}
	for i := len(b.nodeNames); i < n; i++ {
		name := fmt.Sprintf("bench-%04d", i)
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
			Spec:       corev1.NodeSpec{ProviderID: "kwok://" + name},
		}
		if _, err := b.admin.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return restore, err
		}
		added = append(added, name)
	}
	return restore, b.awaitNodes(ctx, max(n, len(b.nodeNames)))
}

// readNodes reads the names of all nodes.
func (b *bench) readNodes(ctx context.Context) error { return b.awaitNodes(ctx, 0) }

// awaitNodes waits until so many nodes are Ready and take pods, and reads the names of all.
func (b *bench) awaitNodes(ctx context.Context, n int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	h := &history.History{}
	if err := h.Follow(ctx, b.ours, []client.ObjectList{&corev1.NodeList{}}); err != nil {
		return err
	}
	ready := 0
	err := h.Wait(ctx, func() bool {
		ready = 0
		b.nodeNames = nil
		for _, node := range history.Objects[*corev1.Node](h) {
			b.nodeNames = append(b.nodeNames, node.Name)
			if len(node.Spec.Taints) == 0 && slices.ContainsFunc(node.Status.Conditions, isReady) {
				ready++
			}
		}
		return ready >= n
	})
	if err != nil {
		return fmt.Errorf("%d nodes are Ready, waiting for %d: %w", ready, n, err)
	}
	return nil
}

func isReady(c corev1.NodeCondition) bool {
	return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
}
