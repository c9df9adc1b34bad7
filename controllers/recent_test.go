package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// A parent that was deleted right after its Jobs were created is never asked for
// again.
func TestRecentJobsForgetsParentsThatAreGone(t *testing.T) {
	recent := recentJobs{byParent: map[types.UID]map[string]recentJob{}}
	at := time.Unix(1000, 0)
	recent.add("gone", "a", &batchv1.Job{}, at)
	recent.add("gone", "b", &batchv1.Job{}, at)
	recent.add("later", "a", &batchv1.Job{}, at.Add(trustCreated/2))
	recent.add("now", "a", &batchv1.Job{}, at.Add(trustCreated+1))
	if recent.waits("gone") || !recent.waits("later") || !recent.waits("now") {
		t.Errorf("remembered: %v", recent.byParent)
	}
}

func TestRecentJobs(t *testing.T) {
	at := time.Unix(1000, 0)
	withUID := func(uid types.UID) *batchv1.Job { return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{UID: uid}} }
	cases := map[string]struct {
		cached map[string]types.UID
		after  time.Duration
		want   map[string]types.UID
		waits  bool
	}{
		"the cache does not show it yet": {
			after: time.Second, want: map[string]types.UID{"a": "new"}, waits: true,
		},
		"the cache shows it": {
			cached: map[string]types.UID{"a": "new"}, after: time.Second, want: map[string]types.UID{"a": "new"},
		},
		"the cache still shows the one before": {
			cached: map[string]types.UID{"a": "old"}, after: time.Second, want: map[string]types.UID{"a": "new"}, waits: true,
		},
		"too long ago to be trusted": {
			after: trustCreated + 1, want: map[string]types.UID{},
		},
		"the clock was set back": {
			after: -time.Hour, want: map[string]types.UID{},
		},
		"others are left as they are": {
			cached: map[string]types.UID{"b": "b"}, after: time.Second, want: map[string]types.UID{"a": "new", "b": "b"}, waits: true,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			recent := recentJobs{byParent: map[types.UID]map[string]recentJob{}}
			recent.add("parent", "a", withUID("new"), at)
			recent.add("another parent", "a", withUID("x"), at)
			own := map[string]*batchv1.Job{}
			for run, uid := range c.cached {
				own[run] = withUID(uid)
			}
			recent.fill("parent", recent.of("parent"), own, at.Add(c.after))
			got := map[string]types.UID{}
			for run, job := range own {
				got[run] = job.UID
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Jobs (-want +got):\n%s", diff)
			}
			if recent.waits("parent") != c.waits {
				t.Errorf("waits: %v", !c.waits)
			}
			recent.forget("another parent")
			if recent.waits("another parent") {
				t.Error("it was not forgotten")
			}
		})
	}
}

// Reconciles side by side begin at times of their own, and end in any order.
func TestRecentJobsOfReconcilesSideBySide(t *testing.T) {
	recent := recentJobs{byParent: map[types.UID]map[string]recentJob{}}
	at := time.Unix(1000, 0)
	recent.add("first", "a", &batchv1.Job{}, at)
	recent.add("second", "a", &batchv1.Job{}, at.Add(-time.Millisecond))
	recent.swept = time.Time{}
	recent.add("third", "a", &batchv1.Job{}, at.Add(-time.Millisecond))
	if !recent.waits("first") {
		t.Error("forgotten by a sweep that began before it was remembered")
	}
}

// The cache tells of a Job that was created here. That is news unless it is the very
// object that the API server answered with.
func TestJobIsShown(t *testing.T) {
	at := time.Unix(1000, 0)
	job := func(run string, uid types.UID, version string) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
			UID: uid, ResourceVersion: version, Annotations: map[string]string{v1alpha1.RunAnnotation: run},
			OwnerReferences: []metav1.OwnerReference{{UID: "parent", Controller: ptr.To(true)}},
		}}
	}
	orphan := job("a", "new", "1")
	orphan.OwnerReferences = nil
	for name, c := range map[string]struct {
		shown *batchv1.Job
		want  bool
	}{
		"as it was created":             {job("a", "new", "1"), true},
		"changed since":                 {job("a", "new", "2"), false},
		"another one of the name":       {job("a", "old", "1"), false},
		"one that was not created here": {job("b", "x", "1"), false},
		"one that lost its owner":       {orphan, false},
	} {
		t.Run(name, func(t *testing.T) {
			recent := recentJobs{byParent: map[types.UID]map[string]recentJob{}}
			recent.add("parent", "a", job("a", "new", "1"), at)
			if got := recent.shown(c.shown); got != c.want {
				t.Errorf("known: %t", got)
			}
			if recent.waits("parent") == c.want {
				t.Errorf("still waited for: %t", c.want)
			}
		})
	}
}
