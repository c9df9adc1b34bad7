package misuse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// native asks the API server, without storing anything, for a Job with the spec that
// lies in the object, with the differences that ours are documented to have. It is
// nil where the API server refuses such a Job, and then says why.
func (c *cluster) native(ctx context.Context, object *unstructured.Unstructured, at string) (*batchv1.JobSpec, error, error) {
	given := dig(object.Object, strings.Split(strings.ReplaceAll(at, firstItem, "."+firstItem), "."))
	job := &unstructured.Unstructured{Object: map[string]any{}}
	job.SetAPIVersion(batchv1.SchemeGroupVersion.String())
	job.SetKind("Job")
	job.SetNamespace(object.GetNamespace())
	job.SetName("native")
	if given != nil {
		job.Object["spec"] = runtime.DeepCopyJSONValue(given)
	}
	if spec, ok := job.Object["spec"].(map[string]any); ok {
		asDocumented(spec)
	}
	err := c.client.Create(ctx, job, client.DryRunAll)
	// Its own checks panic over a success policy without completions (v1.37), and it
	// breaks the request off: it does not take such a Job either.
	if isRefusal(err) || err != nil && strings.Contains(err.Error(), "INTERNAL_ERROR") {
		return nil, err, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("asking for a native Job: %w", err)
	}
	typed := &batchv1.Job{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(job.Object, typed); err != nil {
		return nil, nil, err
	}
	clean := bare(&typed.Spec)
	return &clean, nil, nil
}

// asDocumented makes the differences that a spec of ours has to that of a native Job.
func asDocumented(spec map[string]any) {
	// Those of a DaemonJob stand beside its Job spec.
	delete(spec, "globalParams")
	delete(spec, "excludeNodeList")
	if manual, _ := spec["manualSelector"].(bool); !manual {
		withoutGenerated(spec)
	}
	if spec["backoffLimit"] == nil && spec["backoffLimitPerIndex"] == nil {
		spec["backoffLimit"] = int64(0)
	}
	if pod, ok := dig(spec, []string{"template", "spec"}).(map[string]any); ok {
		pod["restartPolicy"] = string(corev1.RestartPolicyNever)
	}
}

// withoutGenerated leaves out what Kubernetes writes into every Job, and what a spec that
// was copied from a living Job therefore has: the operator does so too, where a native
// Job would be refused.
func withoutGenerated(spec map[string]any) {
	for _, path := range [][]string{{"template", "metadata", "labels"}, {"selector", "matchLabels"}} {
		keys, _ := dig(spec, path).(map[string]any)
		for _, key := range []string{batchv1.ControllerUidLabel, batchv1.JobNameLabel, "controller-uid", "job-name"} {
			delete(keys, key)
		}
	}
	selector, ok := spec["selector"].(map[string]any)
	if !ok {
		return
	}
	labels, _ := selector["matchLabels"].(map[string]any)
	expressions, _ := selector["matchExpressions"].([]any)
	if len(labels)+len(expressions) == 0 {
		delete(spec, "selector")
	}
}

// dig is what the path leads to, or nil.
func dig(content any, path []string) any {
	for _, step := range path {
		switch container := content.(type) {
		case map[string]any:
			content = container[step]
		case []any:
			if step != firstItem || len(container) == 0 {
				return nil
			}
			content = container[0]
		default:
			return nil
		}
	}
	return content
}

// difference compares a Job of ours with the native one. What ours has besides is
// documented, and left out.
func difference(native *batchv1.JobSpec, ours *job, daemon bool) string {
	got := ours.Spec.DeepCopy()
	want := native.DeepCopy()
	if held, ok := ours.Annotations[v1alpha1.TTLAnnotation]; ok {
		if seconds, err := strconv.ParseInt(held, 10, 32); err == nil {
			got.TTLSecondsAfterFinished = ptr.To(int32(seconds))
		}
	}
	got.Template.Labels = withoutOurs(got.Template.Labels)
	got.Template.Annotations = withoutOurs(got.Template.Annotations)
	want.Template.Labels = withoutOurs(want.Template.Labels)
	want.Template.Annotations = withoutOurs(want.Template.Annotations)
	if daemon {
		for _, pod := range []*corev1.PodSpec{&got.Template.Spec, &want.Template.Spec} {
			withoutPlacement(pod)
		}
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b resource.Quantity) bool { return a.Cmp(b) == 0 }))
}

func withoutOurs(keys map[string]string) map[string]string {
	kept := map[string]string{}
	for key, value := range keys {
		if !strings.HasPrefix(key, v1alpha1.GroupVersion.Group+"/") {
			kept[key] = value
		}
	}
	return kept
}

// withoutPlacement leaves out what a DaemonJob adds to bind the pod to its node.
func withoutPlacement(pod *corev1.PodSpec) {
	pod.Tolerations = slices.DeleteFunc(pod.Tolerations, func(t corev1.Toleration) bool {
		return strings.HasPrefix(t.Key, "node.kubernetes.io/")
	})
	if pod.Affinity == nil {
		return
	}
	if node := pod.Affinity.NodeAffinity; node != nil && node.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		terms := &node.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
		for i := range *terms {
			(*terms)[i].MatchFields = slices.DeleteFunc((*terms)[i].MatchFields, func(r corev1.NodeSelectorRequirement) bool {
				return r.Key == metav1.ObjectNameField
			})
		}
		*terms = slices.DeleteFunc(*terms, func(t corev1.NodeSelectorTerm) bool { return len(t.MatchFields)+len(t.MatchExpressions) == 0 })
		if len(*terms) == 0 {
			node.RequiredDuringSchedulingIgnoredDuringExecution = nil
		}
		if len(node.PreferredDuringSchedulingIgnoredDuringExecution) == 0 && node.RequiredDuringSchedulingIgnoredDuringExecution == nil {
			pod.Affinity.NodeAffinity = nil
		}
	}
	if pod.Affinity.NodeAffinity == nil && pod.Affinity.PodAffinity == nil && pod.Affinity.PodAntiAffinity == nil {
		pod.Affinity = nil
	}
}
