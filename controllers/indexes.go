package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/util/sets"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// byJobTemplate finds JobFlows by the JobTemplates that their steps refer to.
const byJobTemplate = "jobTemplateRefs"

func addIndexes(mgr ctrl.Manager) error {
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.JobFlow{}, byJobTemplate, jobTemplateRefs); err != nil {
		return fmt.Errorf("indexing JobFlows by JobTemplate: %w", err)
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
