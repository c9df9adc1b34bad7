package plan

import (
	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

// fate is what a plan decides about a step or node. The zero value is start.
type fate struct {
	outcome         outcome
	reason, message string
}

type outcome int

const (
	starts  outcome = iota // its Job is created
	stays                  // its entry is already right
	waits                  // its entry says what for
	skipped                // its entry says why
	leftOut                // it gets no entry
)

var (
	start    = fate{outcome: starts}
	keep     = fate{outcome: stays}
	leaveOut = fate{outcome: leftOut}
)

func wait(reason, message string) fate { return fate{waits, reason, message} }

func skip(reason, message string) fate { return fate{skipped, reason, message} }

// record puts a fate of waiting or being skipped into an entry.
func (f fate) record(run *v1alpha1.RunStatus) {
	switch f.outcome {
	case waits:
		run.Phase = v1alpha1.PhaseWaiting
	case skipped:
		run.Phase = v1alpha1.PhaseSkipped
	default:
		return
	}
	run.Reason, run.Message = f.reason, jobs.Clip(f.message)
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
