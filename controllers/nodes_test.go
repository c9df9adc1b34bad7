package controllers

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// emptyCache has nothing yet: that of a new leader whose API server is behind.
type emptyCache struct{ client.Client }

func (emptyCache) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

// liveNode is an API server with one node.
type liveNode struct {
	client.Reader
	name string
}

func (r liveNode) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if key.Name != r.name {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "nodes"}, key.Name)
	}
	into.(*corev1.Node).Name = key.Name
	return nil
}

// observed is what one reconcile of a DaemonJob without Jobs observes.
func observed(t *testing.T, dj *v1alpha1.DaemonJob, cached client.Client, live client.Reader) (plan.DaemonObserved, error) {
	pass, err := daemonJobs{cached, live}.observe(t.Context(), dj, plan.Observed{})
	if err != nil {
		return plan.DaemonObserved{}, err
	}
	return pass.(daemonPass).observed, nil
}

// TestWaitingNodeMissingInCache: a node that is recorded to wait for its Job still counts
// when the cache does not have it, and no longer when it is gone. Without that, a new
// leader with an old cache could record the end of the DaemonJob without it.
func TestWaitingNodeMissingInCache(t *testing.T) {
	dj := &v1alpha1.DaemonJob{}
	dj.Status.Nodes = []v1alpha1.RunStatus{
		{Name: "there", Phase: v1alpha1.PhaseWaiting, Reason: v1alpha1.ReasonCreateFailed},
		{Name: "gone", Phase: v1alpha1.PhaseWaiting, Reason: v1alpha1.ReasonCreateFailed},
	}
	seen, err := observed(t, dj, emptyCache{}, liveNode{name: "there"})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Placement) != 1 || seen.Placement[0].Node != "there" || !seen.Placement[0].Run {
		t.Errorf("wanted the node that is there to get a Job, got %+v", seen.Placement)
	}
	if !seen.Nodes.Has("there") || seen.Nodes.Has("gone") {
		t.Errorf("wanted only the node that is there, got %v", seen.Nodes.UnsortedList())
	}
}

// cachedNodes is a cache that has nodes and nothing else.
type cachedNodes struct {
	client.Client
	names []string
}

func (c cachedNodes) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	if nodes, ok := into.(*corev1.NodeList); ok {
		for _, name := range c.names {
			nodes.Items = append(nodes.Items, corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}})
		}
	}
	return nil
}

// TestGoneNodeStillInCache: a node that is recorded as gone counts as gone while only a
// stale cache has it, and as there when it is back. Without that, a new leader with an old
// cache would create its Job once more.
func TestGoneNodeStillInCache(t *testing.T) {
	dj := &v1alpha1.DaemonJob{}
	dj.Status.Nodes = []v1alpha1.RunStatus{
		{Name: "back", Phase: v1alpha1.PhaseSkipped, Reason: v1alpha1.ReasonNodeGone, JobUID: "1"},
		{Name: "gone", Phase: v1alpha1.PhaseSkipped, Reason: v1alpha1.ReasonNodeGone, JobUID: "2"},
	}
	cache := cachedNodes{names: []string{"back", "gone", "other"}}
	seen, err := observed(t, dj, cache, liveNode{name: "back"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"back", "other"}, sets.List(seen.Nodes)); diff != "" {
		t.Errorf("nodes that are there (-want +got):\n%s", diff)
	}
	for _, decision := range seen.Placement {
		if decision.Node == "gone" {
			t.Errorf("the node that is gone is considered: %+v", decision)
		}
	}
}

// TestEndedDaemonJobReadsNoNodes: an ended DaemonJob keeps its entries of nodes that are gone,
// and nodes of these names may be back.
func TestEndedDaemonJobReadsNoNodes(t *testing.T) {
	dj := &v1alpha1.DaemonJob{}
	dj.Status.CompletionTime = &metav1.Time{Time: time.Unix(0, 0)}
	dj.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue}}
	dj.Status.Nodes = []v1alpha1.RunStatus{{Name: "back", Phase: v1alpha1.PhaseSkipped, Reason: v1alpha1.ReasonNodeGone, JobUID: "1"}}
	cache := cachedNodes{names: []string{"back"}}
	if _, err := observed(t, dj, cache, unreachable{}); err != nil {
		t.Errorf("the API server was asked: %v", err)
	}
}

// unreachable is an API server that does not answer.
type unreachable struct{ client.Reader }

func (unreachable) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return apierrors.NewServiceUnavailable("not reachable")
}
