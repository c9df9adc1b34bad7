package e2e

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/flows"
)

// getFlow reads a JobFlow.
func getFlow(ctx context.Context, namespace, name string) *v1alpha1.JobFlow {
	GinkgoHelper()
	flow := &v1alpha1.JobFlow{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, flow)).To(Succeed())
	return flow
}

// expectEnd waits until a JobFlow or DaemonJob, which is read again, has ended in
// a state, and gives up at once when it ends in another.
func expectEnd(ctx context.Context, object client.Object, state v1alpha1.State) {
	GinkgoHelper()
	expectEndWithin(ctx, testkit.Hang, object, state)
}

// expectEndWithin is expectEnd with a longer limit, for samples that sleep for minutes.
func expectEndWithin(ctx context.Context, limit time.Duration, object client.Object, state v1alpha1.State) {
	GinkgoHelper()
	last := ""
	Eventually(ctx, func(ctx context.Context) (v1alpha1.State, error) {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return "", err
		}
		s := flows.Summary(object)
		if now := fmt.Sprintf("%s %s: %s", object.GetName(), s.State, s.Message); now != last {
			testkit.Saw("%s", now)
			last = now
		}
		if s.CompletionTime != nil && s.State != state {
			return "", StopTrying(fmt.Sprintf("%s ended as %s: %s", object.GetName(), s.State, s.Message))
		}
		return s.State, nil
	}).WithTimeout(limit).Should(Equal(state))
}

// run is the entry of a step or node.
func run(runs []v1alpha1.RunStatus, name string) v1alpha1.RunStatus {
	GinkgoHelper()
	for i := range runs {
		if runs[i].Name == name {
			return runs[i]
		}
	}
	Fail(fmt.Sprintf("status has no entry for %s", name))
	return v1alpha1.RunStatus{}
}

// phases are the phase and reason by step or node.
func phases(runs []v1alpha1.RunStatus) map[string]string {
	out := map[string]string{}
	for i := range runs {
		out[runs[i].Name] = string(runs[i].Phase)
		if runs[i].Reason != "" {
			out[runs[i].Name] += " " + runs[i].Reason
		}
	}
	return out
}

// reasonOf is the reason of a condition that is True, and empty otherwise.
func reasonOf(object client.Object, condition string) string {
	found := meta.FindStatusCondition(flows.Summary(object).Conditions, condition)
	if found == nil || found.Status != metav1.ConditionTrue {
		return ""
	}
	return found.Reason
}
