package controllers

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

const (
	// byController finds Jobs by the UID of their JobFlow or DaemonJob, and pods by
	// that of their Job.
	byController = "controllerUID"
	// byJobTemplate finds JobFlows by the JobTemplates that their steps refer to.
	byJobTemplate = "jobTemplateRefs"
)

func addIndexes(mgr ctrl.Manager) error {
	indexes := []struct {
		object  client.Object
		field   string
		extract client.IndexerFunc
	}{
		{&batchv1.Job{}, byController, controllerUID},
		{&corev1.Pod{}, byController, controllerUID},
		{&v1alpha1.JobFlow{}, byJobTemplate, jobTemplateRefs},
	}
	for _, index := range indexes {
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), index.object, index.field, index.extract); err != nil {
			return fmt.Errorf("indexing %T by %s: %w", index.object, index.field, err)
		}
	}
	return nil
}

func controllerUID(object client.Object) []string {
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		return []string{string(owner.UID)}
	}
	return nil
}

func jobTemplateRefs(object client.Object) []string {
	refs := sets.New[string]()
	for i := range object.(*v1alpha1.JobFlow).Spec.Flows {
		if ref := object.(*v1alpha1.JobFlow).Spec.Flows[i].JobTemplateRef; ref != "" {
			refs.Insert(ref)
		}
	}
	return refs.UnsortedList()
}
