package scenario

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// waitFor is for what no watch shows.
func waitFor(ctx context.Context, holds func() bool) error {
	return wait.PollUntilContextCancel(ctx, 5*time.Millisecond, true, func(context.Context) (bool, error) { return holds(), nil })
}

func isDead(o *harness.Operator) bool { return o.Alive().Err() != nil }

func isElected(o *harness.Operator) bool {
	select {
	case <-o.Elected:
		return true
	default:
		return false
	}
}

// whileAllLive is a context that ends when one of the operators does.
func whileAllLive(ctx context.Context, operators ...*harness.Operator) (context.Context, context.CancelFunc) {
	alive, cancel := context.WithCancel(ctx)
	for _, o := range operators {
		context.AfterFunc(o.Alive(), cancel) // at the end of the run at the latest
	}
	return alive, cancel
}
