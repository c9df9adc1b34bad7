package scenario

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
)

// waitFor is for what no watch shows.
func waitFor(ctx context.Context, holds func() bool) error {
	return wait.PollUntilContextCancel(ctx, 5*time.Millisecond, true, func(context.Context) (bool, error) { return holds(), nil })
}

func isDead(o *harness.Operator) bool {
	select {
	case <-o.Dead():
		return true
	default:
		return false
	}
}

func isElected(o *harness.Operator) bool {
	select {
	case <-o.Elected:
		return true
	default:
		return false
	}
}

// anyDead is closed when one of them dies.
func anyDead(operators []*harness.Operator) <-chan struct{} {
	if len(operators) == 1 {
		return operators[0].Dead()
	}
	dead := make(chan struct{})
	var once sync.Once
	for _, o := range operators {
		go func() {
			<-o.Dead() // at the end of the run at the latest
			once.Do(func() { close(dead) })
		}()
	}
	return dead
}

// aliveContext ends when the operator does.
func aliveContext(ctx context.Context, o *harness.Operator) (context.Context, context.CancelFunc) {
	alive, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-o.Dead():
			cancel()
		case <-alive.Done():
		}
	}()
	return alive, cancel
}
