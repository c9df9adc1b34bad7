package harness

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/history"
)

// Record is everything that is written to Jobs, pods, JobFlows, DaemonJobs and
// JobTemplates of a namespace, by whomever, from the moment that it was made. It is kept by
// watches of the harness's own.
type Record struct {
	history.History
	lives lives
}

// NewRecord starts a record of one namespace. It ends with ctx.
func NewRecord(ctx context.Context, c client.WithWatch, namespace string) (*Record, error) {
	r := EmptyRecord()
	return r, r.Follow(ctx, c, []client.ObjectList{
		&batchv1.JobList{}, &corev1.PodList{}, &v1alpha1.JobFlowList{}, &v1alpha1.DaemonJobList{}, &v1alpha1.JobTemplateList{},
	}, client.InNamespace(namespace))
}

// EmptyRecord returns a record that watches nothing; a test notes changes in it.
func EmptyRecord() *Record {
	r := &Record{}
	r.OnChange(r.lives.note)
	return r
}

// Job is the Job of a name as it is, or nil. It is to be read only, as all that the
// record gives.
func (r *Record) Job(key client.ObjectKey) *batchv1.Job {
	return history.Find[*batchv1.Job](&r.History, key)
}

// Pod is the pod of a name as it is, or nil.
func (r *Record) Pod(key client.ObjectKey) *corev1.Pod {
	return history.Find[*corev1.Pod](&r.History, key)
}

// JobFlow is the JobFlow of a name as it is, or nil.
func (r *Record) JobFlow(key client.ObjectKey) *v1alpha1.JobFlow {
	return history.Find[*v1alpha1.JobFlow](&r.History, key)
}

// DaemonJob is the DaemonJob of a name as it is, or nil.
func (r *Record) DaemonJob(key client.ObjectKey) *v1alpha1.DaemonJob {
	return history.Find[*v1alpha1.DaemonJob](&r.History, key)
}
