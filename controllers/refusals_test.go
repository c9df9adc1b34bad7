package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestRefusals(t *testing.T) {
	r := refusals{byRun: map[refusedRun]refusal{}}
	at := time.Unix(1000, 0)
	steps := []struct {
		parent  string
		run     string
		after   time.Duration
		message string
		want    string
	}{
		{"f", "a", 0, "request 1", "request 1"},
		{"f", "a", time.Second, "request 2", "request 1"},
		{"f", "b", time.Second, "request 3", "request 3"},
		{"g", "a", time.Second, "request 4", "request 4"},
		{"f", "a", retryAfter - 1, "request 5", "request 1"},
		{"f", "a", retryAfter, "request 6", "request 6"},
		{"f", "a", 0, "the clock was set back", "the clock was set back"},
	}
	for _, step := range steps {
		if got := r.steady(types.UID(step.parent), step.run, step.message, at.Add(step.after)); got != step.want {
			t.Errorf("%s after %s: got %q, want %q", step.message, step.after, got, step.want)
		}
	}
	r.steady("h", "a", "much later", at.Add(time.Hour))
	if len(r.byRun) != 1 {
		t.Errorf("remembered: %v", r.byRun)
	}
}

func TestRefusedOfLate(t *testing.T) {
	r := refusals{byRun: map[refusedRun]refusal{}}
	at := time.Unix(1000, 0)
	r.steady("f", "a", "refused", at)
	for after, want := range map[time.Duration]bool{retryAfter: true, retryAfter + time.Second: true, 2 * retryAfter: false, -time.Minute: false} {
		if got := r.any("f", at.Add(after)); got != want {
			t.Errorf("%s after a refusal: %v", after, got)
		}
	}
	if r.any("g", at) {
		t.Error("another parent counts as refused")
	}
}
