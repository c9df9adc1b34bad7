package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/faults/internal/harness"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// RunExternal runs a scenario once with an operator that the caller runs. The outcome must hold
// for the duration lasts. Then RunExternal deletes the objects, and nothing may be left. An
// error means that the test failed, not the operator.
func RunExternal(ctx context.Context, server *harness.APIServer, s *Scenario, mode Mode, lasts time.Duration) (result Result, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, *limit+lasts, errTooLong)
	defer cancel()
	w, err := NewWorld(ctx, server, s, mode)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	if err := w.start(ctx); err != nil {
		return result, err
	}
	r := &run{world: w, fault: &Fault{}}
	reaching, reached := context.WithTimeoutCause(ctx, *limit, errTooLong)
	defer reached()
	if err := r.reach(reaching); err != nil {
		result.Violations = append(result.Violations, r.wrongOutcome(err))
		return result, nil
	}
	if parent, summary, _ := w.parent(); parent != nil && summary.CompletionTime != nil {
		result.Took = summary.CompletionTime.Sub(parent.GetCreationTimestamp().Time)
	}
	select {
	case <-ctx.Done():
		return result, context.Cause(ctx)
	case <-time.After(lasts):
	}
	if err := w.Record.CatchUp(ctx); err != nil {
		return result, err
	}
	r.checkLeft(&result)
	result.Checks++
	if err := w.clear(ctx); err != nil {
		result.Violations = append(result.Violations, fmt.Sprintf("something stays behind: %s; %s%s", err, w.Outcome(), r.explain()))
	}
	return result, nil
}

// clear deletes the JobFlow or DaemonJob and waits until nothing of the scenario is left. A
// JobFlow that has ended is deleted by the operator, because of its TTL.
func (w *World) clear(ctx context.Context) error {
	var err error
	parent, summary, _ := w.parent()
	switch parent.(type) {
	case *v1alpha1.JobFlow:
		if flows.Ended(summary) {
			err = edit(ctx, w, &v1alpha1.JobFlow{}, flowName, func(f *v1alpha1.JobFlow) { f.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) })
		} else {
			err = deleteFlow(ctx, w)
		}
	case *v1alpha1.DaemonJob:
		err = deleteDaemon(ctx, w)
	}
	if err != nil {
		return err
	}
	if err := deleteTemplate(ctx, w); err != nil {
		return err
	}
	return w.Record.Wait(ctx, w.Record.Empty)
}
