package memory

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// liveReader is an API server at resource version 100 that holds one JobFlow.
type liveReader struct {
	flow  *v1alpha1.JobFlow // nil if it does not exist
	gets  int
	lists int
}

func (r *liveReader) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	r.gets++
	if r.flow == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "jobflows"}, "f")
	}
	r.flow.DeepCopyInto(into.(*v1alpha1.JobFlow))
	return nil
}

func (r *liveReader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	r.lists++
	list.SetResourceVersion("100")
	return nil
}

func flowAt(uid types.UID, version string) *v1alpha1.JobFlow {
	return &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "f", UID: uid, ResourceVersion: version}}
}

func TestEnsureCurrent(t *testing.T) {
	cases := map[string]struct {
		live   *v1alpha1.JobFlow
		read   *v1alpha1.JobFlow // live, before
		cached *v1alpha1.JobFlow

		version string // empty where nothing can be planned from
		gets    int
	}{
		"changed since we lead: it has all that leaders before us wrote": {
			cached: flowAt("u", "101"), version: "101",
		},
		"not changed since: the cache may be behind, so it is read": {
			live: flowAt("u", "99"), cached: flowAt("u", "40"), version: "99", gets: 1,
		},
		"gone in the meantime": {
			cached: flowAt("u", "40"), version: "", gets: 1,
		},
		"the cache has what was read": {
			read: flowAt("u", "120"), cached: flowAt("u", "120"), version: "120",
		},
		"somebody wrote after that": {
			read: flowAt("u", "120"), cached: flowAt("u", "130"), version: "130",
		},
		"the cache is behind what was read: its event is to come": {
			read: flowAt("u", "120"), cached: flowAt("u", "110"), version: "",
		},
		"versions are numbers, not words": {
			read: flowAt("u", "999"), cached: flowAt("u", "1000"), version: "1000",
		},
		"another object of the same name": {
			read: flowAt("old", "120"), cached: flowAt("new", "125"), version: "125",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			live := &liveReader{flow: c.live}
			m := New(live)
			if c.read != nil {
				live.flow = c.read
				if current, err := m.EnsureCurrent(context.Background(), flowAt(c.read.UID, "1")); current == nil || err != nil {
					t.Fatal(current, err)
				}
				live.gets = 0
			}
			newest, err := m.EnsureCurrent(context.Background(), c.cached.DeepCopy())
			if err != nil {
				t.Fatal(err)
			}
			version := ""
			if newest != nil {
				version = newest.GetResourceVersion()
			}
			if version != c.version || live.gets != c.gets {
				t.Errorf("at version %q after %d live reads, want %q after %d", version, live.gets, c.version, c.gets)
			}
		})
	}
}

func TestBarrierIsAskedForOnce(t *testing.T) {
	live := &liveReader{flow: flowAt("u", "99")}
	m := New(live)
	for range 3 {
		if current, err := m.EnsureCurrent(context.Background(), flowAt("u", "99")); current == nil || err != nil {
			t.Fatal(current, err)
		}
	}
	if live.gets != 1 || live.lists != 1 {
		t.Errorf("%d reads and %d lists, want one of each", live.gets, live.lists)
	}
	m.Forget(KeyOf(flowAt("u", "99")))
	if len(m.entries) != 0 {
		t.Error("a JobFlow that is gone is remembered")
	}
}

// What the cache gave must not be written into: others read it at the same time.
func TestLiveReadLeavesTheCacheAlone(t *testing.T) {
	newer := flowAt("u", "99")
	newer.Labels = map[string]string{"a": "new"}
	m := New(&liveReader{flow: newer})
	inCache := flowAt("u", "40")
	inCache.Labels = map[string]string{"a": "old"}
	shared := *inCache
	newest, err := m.EnsureCurrent(context.Background(), &shared)
	if err != nil {
		t.Fatal(err)
	}
	if newest.GetLabels()["a"] != "new" || inCache.Labels["a"] != "old" {
		t.Errorf("read %v, in the cache %v", newest.GetLabels(), inCache.Labels)
	}
}
