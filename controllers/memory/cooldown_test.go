package memory

import (
	"testing"
	"time"
)

func TestCooldown(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for name, c := range map[string]struct{ before, took, after, want time.Duration }{
		"short looks":                        {before: shortReconcile - 1, took: shortReconcile - 1},
		"long ones":                          {before: 5 * time.Millisecond, took: 7 * time.Millisecond, want: pausePerReconcile * 5 * time.Millisecond},
		"a while after them":                 {before: 5 * time.Millisecond, took: 5 * time.Millisecond, after: time.Millisecond, want: pausePerReconcile*5*time.Millisecond - time.Millisecond},
		"some that waited":                   {before: time.Minute, took: time.Minute, want: longestPause},
		"one that waited, after another":     {before: 5 * time.Millisecond, took: time.Minute, want: pausePerReconcile * 5 * time.Millisecond},
		"one that waited, after a short one": {before: shortReconcile - 1, took: time.Minute},
		"one that waited, the first":         {took: time.Minute},
		"a short one after one that waited":  {before: time.Minute, took: shortReconcile - 1},
		"long after them":                    {before: 5 * time.Millisecond, took: 5 * time.Millisecond, after: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			m, flow := New(nil), flowAt("u", "1")
			m.Reconciled(flow, start.Add(-c.before), start)
			done := start.Add(c.took)
			m.Reconciled(flow, start, done)
			if got := max(0, m.Cooldown(KeyOf(flow), done.Add(c.after))); got != c.want {
				t.Errorf("the next reconcile waits %s, not %s", got, c.want)
			}
			if got := m.Cooldown(Key{Kind: "another"}, done); got > 0 {
				t.Errorf("another object waits %s", got)
			}
			m.ResetCooldown(KeyOf(flow))
			if got := m.Cooldown(KeyOf(flow), done); got != 0 {
				t.Errorf("it waits %s after an error", got)
			}
		})
	}
}
