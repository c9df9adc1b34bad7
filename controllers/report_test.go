package controllers

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/status"
)

// decodingClient writes into what it is given, as a client does that decodes an
// answer into it.
type decodingClient struct{ client.Client }

func (decodingClient) Status() client.SubResourceWriter { return decodingWriter{} }

type decodingWriter struct{ client.SubResourceWriter }

func (decodingWriter) Patch(_ context.Context, into client.Object, _ client.Patch, _ ...client.SubResourcePatchOption) error {
	flow := into.(*v1alpha1.JobFlow)
	flow.Status.Conditions[0].Message = "decoded"
	flow.Status.Flows[0].Message = "decoded"
	flow.Status.StartTime.Time = time.Unix(1, 0)
	return nil
}

// A status shares much with the one in the cache that it was computed from, which
// others read at the same time.
func TestReportLeavesTheCacheAlone(t *testing.T) {
	now := metav1.Now()
	inCache := flowAt("u", "1")
	inCache.DeletionTimestamp = &now
	inCache.Status = v1alpha1.JobFlowStatus{
		Summary: v1alpha1.Summary{
			State: v1alpha1.StateSucceed, StartTime: &now,
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue}},
		},
		Flows: []v1alpha1.RunStatus{{Name: "a", Phase: v1alpha1.PhaseSucceeded}},
	}
	was := inCache.DeepCopy()
	statuses := newStatuses(v1alpha1.KindJobFlow, decodingClient{}, decodingClient{}, events.NewFakeRecorder(1), 1)
	shared := *inCache
	if _, err := statuses.report(context.Background(), &shared, status.Terminating(&shared, now.Time), now.Time); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(was, inCache); diff != "" {
		t.Errorf("in the cache (-was +is):\n%s", diff)
	}
}
