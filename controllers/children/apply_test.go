package children

import (
	"context"
	"errors"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers/memory"
	"github.com/jobflow-operator/jobflow-operator/internal/graph"
	"github.com/jobflow-operator/jobflow-operator/internal/plan"
)

// The soak found this: the answer to a creation is lost together with the watches, and
// before they are back the flow's deadline passes. The step was Skipped, and the flow
// had ended, while its Job ran.
func TestUnansweredCreation(t *testing.T) {
	for name, test := range map[string]struct {
		takesEffect bool
		want        v1alpha1.Phase
	}{
		"that took effect": {true, v1alpha1.PhaseRunning},
		"that did not":     {false, v1alpha1.PhaseSkipped},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, now := context.Background(), time.Unix(1000, 0)
			lost := interceptor.Funcs{Create: func(ctx context.Context, w client.WithWatch, object client.Object, options ...client.CreateOption) error {
				if test.takesEffect {
					stored := object.DeepCopyObject().(client.Object)
					stored.SetUID("made by the API server")
					if err := w.Create(ctx, stored, options...); err != nil {
						return err
					}
				}
				return errors.New("unexpected EOF")
			}}
			server := fake.NewClientBuilder().WithInterceptorFuncs(lost).Build()
			c := New(blindCache{}, server, server, memory.New(server))

			flow := &v1alpha1.JobFlow{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "f", UID: "f"}}
			flow.Spec.ActiveDeadlineSeconds = ptr.To[int64](2)
			flow.Spec.Flows = []v1alpha1.FlowStep{{Name: "a", JobTemplate: &batchv1.JobSpec{Template: corev1.PodTemplateSpec{}}}}
			steps, _ := graph.New([]graph.Step{{Name: "a"}})
			pass := func(now time.Time) (plan.Plan, error) {
				seen, err := c.Observe(ctx, flow, now)
				if err != nil {
					t.Fatal(err)
				}
				p := plan.Flow(flow, steps, plan.FlowObserved{Observed: seen}, now)
				return p, c.Apply(ctx, flow, &p, now)
			}
			p, err := pass(now)
			if err == nil {
				t.Fatal("the creation was answered")
			}
			flow.Status.StartTime = p.StartTime
			if p, err = pass(now.Add(3 * time.Second)); p.Runs[0].Phase != test.want {
				t.Errorf("after the deadline the step is %s: %s (%v), want %s", p.Runs[0].Phase, p.Runs[0].Message, err, test.want)
			}
		})
	}
}

// blindCache is the cache of an operator whose watches are down.
type blindCache struct{}

func (blindCache) Jobs(types.UID, func(string, types.UID) bool) ([]*batchv1.Job, error) {
	return nil, nil
}
func (blindCache) Pods(types.UID) ([]*corev1.Pod, error) { return nil, nil }
