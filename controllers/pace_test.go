package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestPace(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for name, c := range map[string]struct{ took, after, want time.Duration }{
		"a short look":     {took: shortLook - 1},
		"a long one":       {took: 5 * time.Millisecond, want: restPerLook * 5 * time.Millisecond},
		"a while after it": {took: 5 * time.Millisecond, after: time.Millisecond, want: restPerLook*5*time.Millisecond - time.Millisecond},
		"one that waited":  {took: time.Minute, want: longestPause},
		"long after it":    {took: 5 * time.Millisecond, after: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			p, object := newPace(), types.NamespacedName{Name: "f"}
			done := start.Add(c.took)
			p.looked(object, start, done)
			if got := max(0, p.wait(object, done.Add(c.after))); got != c.want {
				t.Errorf("the next look waits %s, not %s", got, c.want)
			}
			if got := p.wait(types.NamespacedName{Name: "another"}, done); got > 0 {
				t.Errorf("another object waits %s", got)
			}
			p.looked(object, start, start)
			p.forget(object)
			if len(p.last) != 0 {
				t.Error("something is left")
			}
		})
	}
}
