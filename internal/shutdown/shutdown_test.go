package shutdown

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
)

type key struct{}

func TestDelay(t *testing.T) {
	for name, delay := range map[string]time.Duration{"without a delay": 0, "with a delay": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				signalled, signal := context.WithCancel(context.WithValue(context.Background(), key{}, "kept"))
				defer signal()
				ctx := Delay(signalled, delay, logr.Discard())
				if got := ctx.Value(key{}); got != "kept" {
					t.Errorf("it has the value %v", got)
				}
				synctest.Wait()
				if ctx.Err() != nil {
					t.Fatal("ended without a signal")
				}
				began := time.Now()
				signal()
				<-ctx.Done()
				if took := time.Since(began); took != delay {
					t.Errorf("ended %s after the signal, not %s", took, delay)
				}
			})
		})
	}
}
