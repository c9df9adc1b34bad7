package trials

import (
	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// newObject is an empty object of a resource that the operator patches.
func newObject(resource string) client.Object {
	switch resource {
	case "jobs":
		return &batchv1.Job{}
	case "jobflows":
		return &v1alpha1.JobFlow{}
	case "daemonjobs":
		return &v1alpha1.DaemonJob{}
	default:
		return &v1alpha1.JobTemplate{}
	}
}
