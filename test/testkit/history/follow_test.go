package history

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// server answers a list with one Job, and each watch with the next of its watchers.
type server struct {
	client.WithWatch
	job      *batchv1.Job
	watchers []*watch.FakeWatcher
	lists    int
	// from has the resource versions from which watches began.
	from []string
}

func (s *server) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	s.lists++
	list.SetResourceVersion(s.job.ResourceVersion)
	list.(*batchv1.JobList).Items = []batchv1.Job{*s.job}
	return nil
}

func (s *server) Watch(_ context.Context, _ client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
	chosen := (&client.ListOptions{}).ApplyOptions(options)
	s.from = append(s.from, chosen.Raw.ResourceVersion)
	return s.watchers[len(s.from)-1], nil
}

func job(name, version string) *batchv1.Job {
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), ResourceVersion: version}}
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &server{job: job("a", "1"), watchers: []*watch.FakeWatcher{watch.NewFake(), watch.NewFake(), watch.NewFake()}}
		h := &History{}
		if err := h.Follow(ctx, s, []client.ObjectList{&batchv1.JobList{}}); err != nil {
			t.Fatal(err)
		}

		s.watchers[0].Add(job("b", "2"))
		s.watchers[0].Action(watch.Bookmark, job("", "5"))
		s.watchers[0].Stop()
		s.watchers[1].Add(job("c", "6"))
		if got := names(h); !slices.Equal(got, []string{"a", "b", "c"}) || h.Err() != nil {
			t.Errorf("the record has %v, and the gap is %v", got, h.Err())
		}

		s.job = job("d", "9")
		s.watchers[1].Error(&metav1.Status{Status: metav1.StatusFailure, Code: 410, Reason: metav1.StatusReasonExpired})
		s.watchers[2].Modify(job("a", "10"))
		if got := names(h); !slices.Equal(got, []string{"a", "b", "c", "d"}) || h.Err() == nil {
			t.Errorf("after the watch began anew the record has %v, and the gap is %v", got, h.Err())
		}
		if want := []string{"1", "5", "9"}; !slices.Equal(s.from, want) || s.lists != 2 {
			t.Errorf("there were %d lists, and watches from %v, not %v", s.lists, s.from, want)
		}
		cancel()
		s.watchers[2].Stop()
	})
}

// names returns the names of the recorded Jobs, once every event that was sent is recorded.
func names(h *History) (names []string) {
	synctest.Wait()
	for _, job := range Entries[*batchv1.Job](h) {
		names = append(names, job.Object.Name)
	}
	return names
}
