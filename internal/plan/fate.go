package plan

import (
	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// fate is what a plan decides about a step or node: it starts, waits or is skipped, its
// entry is already right, or it gets none.
type fate struct {
	decision        string         // for those fates that change nothing in the entry
	phase           v1alpha1.Phase // Waiting or Skipped
	reason, message string
}

var (
	start    = fate{decision: "start"}
	keep     = fate{decision: "keep"}
	leaveOut = fate{decision: "leave out"}
)

func wait(reason, message string) fate {
	return fate{phase: v1alpha1.PhaseWaiting, reason: reason, message: message}
}

func skip(reason, message string) fate {
	return fate{phase: v1alpha1.PhaseSkipped, reason: reason, message: message}
}

// record puts a fate into an entry.
func (f fate) record(run *v1alpha1.RunStatus) {
	if f.decision == "" {
		run.Phase, run.Reason, run.Message = f.phase, f.reason, jobs.Clip(f.message)
	}
}

// rules decide in order: the fate is that of the first rule which does not return start.
type rules[T any] []func(T) fate

func (r rules[T]) decide(about T) fate {
	for _, rule := range r {
		if f := rule(about); f != start {
			return f
		}
	}
	return start
}
