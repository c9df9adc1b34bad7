package cluster

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
)

// killLeader kills the process that leads. The lease stays, and has to run out.
func killLeader(ctx context.Context, t *trial, leader *corev1.Pod) {
	GinkgoHelper()
	killed := time.Now()
	kill(leader)
	awaitSuccessor(ctx, t, leader, killed)
}

// awaitSuccessor waits until another process leads and has created a Job, and sees to
// it that nobody did in between.
func awaitSuccessor(ctx context.Context, t *trial, leader *corev1.Pod, died time.Time) {
	GinkgoHelper()
	next := awaitLeaderAfter(ctx, t, "the death of the leader", died)
	who := "the other replica"
	if podOf(next.holder) == leader.Name {
		who = "the same pod, with a new process"
	}
	t.part.Add("who took over", who)

	// What the old leader created in its last moment may be seen a moment later.
	t.part.Checks++
	if job := t.record.firstJobAfter(died.Add(time.Second)); job.Before(next.at) {
		t.part.Violations = append(t.part.Violations, fmt.Sprintf("a Job was created %s before the next leader had the lease", seconds(next.at.Sub(job))))
	}
}

// awaitLeaderAfter waits until another process leads and has created a Job, and reports
// how long both took since something happened.
func awaitLeaderAfter(ctx context.Context, t *trial, what string, happened time.Time) leaseChange {
	GinkgoHelper()
	Eventually(ctx, func() string { return t.record.leaderAfter(happened).holder }).WithTimeout(awaited).ShouldNot(BeEmpty(), "leaders after that")
	next := t.record.leaderAfter(happened)
	t.part.Add(fmt.Sprintf("from %s to another's lease", what), seconds(next.at.Sub(happened)))

	Eventually(ctx, func() time.Time { return t.record.firstJobAfter(next.at) }).WithTimeout(awaited).ShouldNot(BeZero(), "Jobs by the next leader")
	t.part.Add("from the lease to the first Job", seconds(t.record.firstJobAfter(next.at).Sub(next.at)))
	return next
}
