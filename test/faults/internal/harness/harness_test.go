package harness_test

import (
	"context"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// TestHarness shows how the parts go together, and that they do: an operator is killed
// in the middle of a JobFlow, and the next one brings it to its end.
func TestHarness(t *testing.T) {
	server, err := harness.StartAPIServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	namespace, err := server.NewNamespace(ctx)
	if err != nil {
		t.Fatal(err)
	}
	record, err := harness.NewRecord(ctx, server.Client, namespace)
	if err != nil {
		t.Fatal(err)
	}
	player := harness.Play(ctx, server.Client, record, harness.PlayerOptions{Pods: true, Lag: 50 * time.Millisecond})
	start := func() *harness.Operator {
		began := time.Now()
		operator, err := server.StartOperator(harness.OperatorOptions{Namespace: namespace})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("an operator is ready after %s", time.Since(began))
		return operator
	}
	first := start()

	held := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{harness.HoldAnnotation: "true"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "busybox:1.28"}}},
	}
	if err := server.Client.Create(ctx, &v1alpha1.JobFlow{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "f"},
		Spec: v1alpha1.JobFlowSpec{Flows: []v1alpha1.FlowStep{
			{Name: "a", JobTemplate: &batchv1.JobSpec{Template: held}},
			{Name: "b", Dependencies: []string{"a"}, JobTemplate: &batchv1.JobSpec{Template: held}},
		}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := record.Wait(ctx, func() bool { return record.Job(harness.Key(namespace, "f-a")) != nil }); err != nil {
		t.Fatal(err)
	}
	first.Kill()
	first.WaitEnded()
	written := len(first.Writes())
	second := start()
	player.Release(harness.Key(namespace, "f-a"))
	player.Release(harness.Key(namespace, "f-b"))
	if err := record.Wait(ctx, func() bool {
		flow := record.JobFlow(harness.Key(namespace, "f"))
		return flow != nil && flow.Status.State == v1alpha1.StateSucceed
	}); err != nil {
		t.Fatal(err)
	}
	if err := second.WaitIdle(ctx, 0, time.Second); err != nil {
		t.Fatal(err)
	}
	if err := record.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	if after := len(first.Writes()); after != written {
		t.Errorf("an operator that was killed went on to write: %v", first.Writes()[written:])
	}
	jobs := record.Jobs()
	if len(jobs) != 2 || jobs[0].Run != "a" || jobs[1].Run != "b" {
		t.Fatalf("wanted one Job for a and then one for b, got %+v", jobs)
	}
	if a, b := jobs[0], jobs[1]; len(a.PodsSucceeded) != 1 || a.PodsSucceeded[0] >= a.Completed || a.Completed >= b.Created {
		t.Errorf("wanted the pod of a to succeed, then a to be Complete, then b to be created, got %+v", jobs)
	}
}
