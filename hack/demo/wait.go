package main

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

const between = 500 * time.Millisecond

// waitForAdmission creates a flow in dry runs until it succeeds. There is nothing to watch:
// only a request shows that the webhook answers.
func waitForAdmission(ctx context.Context, c client.Client, flow *v1alpha1.JobFlow) error {
	dry := client.NewDryRunClient(c)
	var last error
	err := wait.PollUntilContextTimeout(ctx, between, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		probe := flow.DeepCopy()
		probe.Name = "jobflow-demo-probe"
		last = dry.Create(ctx, probe)
		// An invalid flow stays invalid.
		if apierrors.IsInvalid(last) || apierrors.IsForbidden(last) {
			return false, last
		}
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("the operator's webhook does not answer: %w", lastOr(last, err))
	}
	return nil
}

func waitUntilGone(ctx context.Context, c client.Client, o client.Object) error {
	err := wait.PollUntilContextTimeout(ctx, between, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(o), o)
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	if err != nil {
		return fmt.Errorf("%s is not gone: %w", o.GetName(), err)
	}
	return nil
}

func lastOr(last, err error) error {
	if last != nil {
		return last
	}
	return err
}
