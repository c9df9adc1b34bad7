package cluster

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/report"
)

// fault is something that breaks, with what is under way meanwhile.
type fault struct {
	name string
	// replicas are those of the operator.
	replicas int32
	// workloads are made when the leader is known, and the node that it is on.
	workloads func(node string) []workload
	// podsDie says that pods of the workloads are ended, too.
	podsDie bool
	// inflict breaks something, and mends it where that is not for the operator.
	inflict func(ctx context.Context, t *trial, leader *corev1.Pod)
}

var faults = []fault{
	{name: "leader-killed", replicas: 2, workloads: anywhere(manyFlows), inflict: killLeader},
	{name: "operator-rolled-out", replicas: 1, workloads: anywhere(everyFeature), inflict: rollOut},
	{name: "api-server-restarted", replicas: 1, workloads: anywhere(everyFeature), inflict: outage{
		begin: func(ctx context.Context) { devcluster(ctx, "kill", "kube-apiserver") },
		end:   func(ctx context.Context) { devcluster(ctx, "up") },
	}.inflict},
	{name: "api-server-down-for-a-minute", replicas: 1, workloads: anywhere(everyFeature), inflict: outage{
		begin: func(ctx context.Context) { devcluster(ctx, "kill", "kube-apiserver") },
		lasts: time.Minute,
		end:   func(ctx context.Context) { devcluster(ctx, "up") },
	}.inflict},
	{name: "etcd-hangs-for-a-minute", replicas: 1, workloads: anywhere(everyFeature), inflict: outage{
		begin: func(ctx context.Context) { devcluster(ctx, "pause", "etcd") },
		lasts: time.Minute,
		end:   func(ctx context.Context) { devcluster(ctx, "resume", "etcd") },
	}.inflict},
	{name: "etcd-down-for-a-minute", replicas: 2, workloads: anywhere(everyFeature), inflict: outage{
		begin: func(ctx context.Context) { devcluster(ctx, "kill", "etcd") },
		lasts: time.Minute,
		end:   func(ctx context.Context) { devcluster(ctx, "up") },
	}.inflict},
	{name: "operator-out-of-memory", replicas: 1, workloads: anywhere(manyFlows), inflict: starve},
	{name: "node-lost-and-back", replicas: 2, workloads: onLostNode, podsDie: true, inflict: loseNode},
	{name: "node-lost-and-deleted", replicas: 2, workloads: onDeletedNode, podsDie: true, inflict: loseNodeForGood},
}

// anywhere is for workloads that do not care where they run.
func anywhere(workloads func() []workload) func(string) []workload {
	return func(string) []workload { return workloads() }
}

var _ = Describe("Workloads that are under way", func() {
	for _, fault := range faults {
		It("end as they have to: "+fault.name, NodeTimeout(20*time.Minute), func(ctx SpecContext) {
			part := &report.Part{Name: "cluster/" + fault.name}
			DeferCleanup(finish, part)
			patchOperator(ctx, func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To(fault.replicas) })
			leader := awaitLeader(ctx)
			restarted := restarts(ctx)
			t := newTrial(ctx, part, fault.workloads(leader.Spec.NodeName))
			t.podsDie = fault.podsDie

			DeferCleanup(func(ctx SpecContext) { devcluster(ctx, "up") }, NodeTimeout(awaited))
			part.Faults++
			part.Add("Jobs that there were before", len(t.record.jobs()))
			fault.inflict(ctx, t, leader)

			t.awaitEnds(ctx)
			awaitOperator(ctx)
			t.reportSize()
			part.Add("restarts of the operator's containers", since(restarted, restarts(ctx)))
			t.checkInvariants()
			t.checkNothingStays(ctx)
		})
	}
})

// finish reports what a spec has come to. One that failed otherwise than for an invariant
// has found something that is broken, too.
func finish(part *report.Part) {
	GinkgoHelper()
	if spec := CurrentSpecReport(); spec.Failed() && len(part.Violations) == 0 {
		part.Violations = append(part.Violations, spec.Failure.Message)
	}
	Expect(part.Write()).To(Succeed())
}
