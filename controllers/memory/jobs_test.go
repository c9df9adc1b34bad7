package memory

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

func TestCreatedJobs(t *testing.T) {
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
			after: TrustCreated + 1, want: map[string]types.UID{},
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
			m, parent, another := New(nil), flowAt("parent", "1"), flowAt("another parent", "1")
			another.Name = "another"
			m.Created(parent, "a", withUID("new"), at)
			m.Created(another, "a", withUID("x"), at)
			own := map[string]*batchv1.Job{}
			for run, uid := range c.cached {
				own[run] = withUID(uid)
			}
			if uncertain := m.Complete(parent, m.Jobs(parent), own, at.Add(c.after)); len(uncertain) != 0 {
				t.Errorf("uncertain: %v", uncertain)
			}
			got := map[string]types.UID{}
			for run, job := range own {
				got[run] = job.UID
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Jobs (-want +got):\n%s", diff)
			}
			if m.AwaitsJobs(parent) != c.waits {
				t.Errorf("waits: %v", !c.waits)
			}
			m.Forget(KeyOf(another))
			if m.AwaitsJobs(another) {
				t.Error("it was not forgotten")
			}
		})
	}
}

func TestUncertainJobs(t *testing.T) {
	at := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		cached types.UID
		after  time.Duration
		want   map[string]string
		kept   bool
	}{
		"the cache does not show it":            {after: time.Second, want: map[string]string{"a": "f-a"}, kept: true},
		"the cache shows it, or an earlier one": {cached: "u", after: time.Second, want: map[string]string{}, kept: true},
		"it cannot take effect any more":        {after: takesEffect, want: map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			m, flow := New(nil), flowAt("u", "1")
			m.MayBeCreated(flow, "a", "f-a", at)
			cached := map[string]*batchv1.Job{}
			if c.cached != "" {
				cached["a"] = &batchv1.Job{ObjectMeta: metav1.ObjectMeta{UID: c.cached}}
			}
			if diff := cmp.Diff(c.want, m.Complete(flow, m.Jobs(flow), cached, at.Add(c.after))); diff != "" {
				t.Errorf("uncertain (-want +got):\n%s", diff)
			}
			if got := len(m.Jobs(flow)) > 0; got != c.kept {
				t.Errorf("remembered: %t", got)
			}
			if m.AwaitsJobs(flow) {
				t.Error("a Job counts as created")
			}
		})
	}
}

// An object of the same name has nothing of the one before it.
func TestAnotherParentOfTheName(t *testing.T) {
	m, at := New(nil), time.Unix(1000, 0)
	m.Created(flowAt("u", "1"), "a", &batchv1.Job{}, at)
	if m.AwaitsJobs(flowAt("v", "1")) || len(m.Jobs(flowAt("v", "1"))) != 0 {
		t.Error("it has the Jobs of the one before it")
	}
	m.Created(flowAt("v", "1"), "b", &batchv1.Job{}, at)
	if m.AwaitsJobs(flowAt("u", "1")) || len(m.entries) != 1 {
		t.Errorf("the one before it is remembered: %v", m.entries)
	}
}

// The cache shows a Job that was created here. That changes something unless it is the very
// object that the API server answered with.
func TestExpectedJob(t *testing.T) {
	at := time.Unix(1000, 0)
	job := func(run string, uid types.UID, version string) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
			UID: uid, ResourceVersion: version, Annotations: map[string]string{v1alpha1.RunAnnotation: run},
			Namespace: "ns", OwnerReferences: []metav1.OwnerReference{{Kind: "JobFlow", Name: "f", UID: "parent", Controller: ptr.To(true)}},
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
			m, parent := New(nil), flowAt("parent", "1")
			m.Created(parent, "a", job("a", "new", "1"), at)
			if got := m.Expected(c.shown); got != c.want {
				t.Errorf("known: %t", got)
			}
			if m.AwaitsJobs(parent) == c.want {
				t.Errorf("still waited for: %t", c.want)
			}
		})
	}
}
