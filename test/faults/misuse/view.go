package misuse

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// view is what people see of a JobFlow or DaemonJob and its Jobs, without what differs
// from one time to the next.
type view struct {
	Observed bool `json:"-"`
	// Object is what was read.
	Object *unstructured.Unstructured `json:"-"`

	State   v1alpha1.State
	Reason  string
	Message string
	// Runs are the steps or nodes, with what is said of them.
	Runs map[string]string
	// Jobs are the specs of the Jobs, with their labels and annotations.
	Jobs map[string]job
}

type job struct {
	Labels, Annotations map[string]string
	Spec                batchv1.JobSpec
}

// text is everything that is said in words.
func (v *view) text() string {
	words := []string{v.Reason, v.Message}
	for _, said := range v.Runs {
		words = append(words, said)
	}
	return strings.Join(words, "\n")
}

// String is for comparing two of them.
func (v *view) String() string {
	content, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// see reads what people see of the object, as it is in the API server now.
func (c *cluster) see(ctx context.Context, object *unstructured.Unstructured) (*view, error) {
	current := object.DeepCopy()
	if err := c.client.Get(ctx, client.ObjectKeyFromObject(object), current); err != nil {
		return nil, err
	}
	var status struct {
		Status struct {
			v1alpha1.Summary `json:",inline"`
			Flows            []v1alpha1.RunStatus `json:"flows"`
			Nodes            []v1alpha1.RunStatus `json:"nodes"`
		} `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(current.Object, &status); err != nil {
		return nil, err
	}
	s := &status.Status
	v := &view{
		Object:   current,
		Observed: s.ObservedGeneration == current.GetGeneration(),
		State:    s.State, Message: s.Message, Runs: map[string]string{}, Jobs: map[string]job{},
	}
	if ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady); ready != nil {
		v.Reason = ready.Reason
	}
	for _, runs := range [][]v1alpha1.RunStatus{s.Flows, s.Nodes} {
		for i := range runs {
			run := &runs[i]
			v.Runs[run.Name] = fmt.Sprintf("%s %s %s", run.Phase, run.Reason, run.Message)
		}
	}
	list := &batchv1.JobList{}
	if err := c.client.List(ctx, list, client.InNamespace(current.GetNamespace())); err != nil {
		return nil, err
	}
	for i := range list.Items {
		if j := &list.Items[i]; metav1.IsControlledBy(j, current) {
			v.Jobs[j.Name] = job{j.Labels, j.Annotations, bare(&j.Spec)}
		}
	}
	return v, nil
}

// bare is the spec of a Job without what is different for each Job.
func bare(spec *batchv1.JobSpec) batchv1.JobSpec {
	clean := spec.DeepCopy()
	for key := range clean.Template.Labels {
		if strings.HasPrefix(key, batchv1.GroupName+".kubernetes.io/") || key == "controller-uid" || key == "job-name" {
			delete(clean.Template.Labels, key)
		}
	}
	if !ptr.Deref(clean.ManualSelector, false) {
		clean.Selector = nil
	}
	return *clean
}
