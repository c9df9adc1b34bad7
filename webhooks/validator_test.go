package webhooks

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// Users must still be able to edit a stored object that admission would refuse today.
func TestValidateUpdateOfAnOlderObject(t *testing.T) {
	stored := &v1alpha1.JobFlow{Spec: v1alpha1.JobFlowSpec{Flows: []v1alpha1.FlowStep{
		{Name: "a", Dependencies: []string{"missing"}, JobTemplateRef: "t"},
	}}}
	cases := map[string]struct {
		change func(*v1alpha1.JobFlow)
		refuse string
	}{
		"a label":        {func(f *v1alpha1.JobFlow) { f.Labels = map[string]string{"a": "b"} }, ""},
		"a finalizer":    {func(f *v1alpha1.JobFlow) { f.Finalizers = []string{"a/b"} }, ""},
		"suspended":      {func(f *v1alpha1.JobFlow) { f.Spec.Suspend = ptr.To(true) }, ""},
		"broken further": {func(f *v1alpha1.JobFlow) { f.Spec.Parallelism = ptr.To[int32](0) }, "spec.parallelism"},
		"broken while deleted": {func(f *v1alpha1.JobFlow) {
			f.DeletionTimestamp = ptr.To(metav1.NewTime(time.Unix(0, 0)))
			f.Spec.Parallelism = new(int32)
		}, ""},
	}
	v := &validator[*v1alpha1.JobFlow]{rules[*v1alpha1.JobFlow]{errors: validation.JobFlow, warnings: validation.JobFlowWarnings}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			updated := stored.DeepCopy()
			c.change(updated)
			_, err := v.ValidateUpdate(context.Background(), stored, updated)
			switch {
			case c.refuse == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refuse != "" && (err == nil || !strings.Contains(err.Error(), c.refuse)):
				t.Errorf("got %v, want it to name %s", err, c.refuse)
			case err != nil && strings.Contains(err.Error(), "missing"):
				t.Errorf("%v names an error that the update did not introduce", err)
			}
		})
	}
}

func TestValidateUpdateWarnsOnce(t *testing.T) {
	old := &v1alpha1.JobTemplate{}
	updated := old.DeepCopy()
	updated.Spec.JobTemplate.Template.Spec.RestartPolicy = "Always"
	v := &validator[*v1alpha1.JobTemplate]{rules[*v1alpha1.JobTemplate]{errors: validation.JobTemplate, warnings: validation.JobTemplateWarnings}}

	first, _ := v.ValidateUpdate(context.Background(), old, updated)
	second, _ := v.ValidateUpdate(context.Background(), updated, updated.DeepCopy())

	if diff := cmp.Diff([]int{1, 0}, []int{len(first), len(second)}); diff != "" {
		t.Errorf("warnings of the change and of the next one (-want +got):\n%s", diff)
	}
}
