// Package webhooks admits JobFlows, DaemonJobs and JobTemplates, and provides the
// serving certificate for that.
package webhooks

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/validation"
)

// +kubebuilder:webhook:path=/validate-api-practice-com-v1alpha1-jobflow,mutating=false,failurePolicy=fail,sideEffects=None,groups=api.practice.com,resources=jobflows,verbs=create;update,versions=v1alpha1,name=vjobflow.api.practice.com,admissionReviewVersions=v1,timeoutSeconds=10,matchPolicy=Equivalent
// +kubebuilder:webhook:path=/validate-api-practice-com-v1alpha1-daemonjob,mutating=false,failurePolicy=fail,sideEffects=None,groups=api.practice.com,resources=daemonjobs,verbs=create;update,versions=v1alpha1,name=vdaemonjob.api.practice.com,admissionReviewVersions=v1,timeoutSeconds=10,matchPolicy=Equivalent
// +kubebuilder:webhook:path=/validate-api-practice-com-v1alpha1-jobtemplate,mutating=false,failurePolicy=fail,sideEffects=None,groups=api.practice.com,resources=jobtemplates,verbs=create;update,versions=v1alpha1,name=vjobtemplate.api.practice.com,admissionReviewVersions=v1,timeoutSeconds=10,matchPolicy=Equivalent

// rules are the checks of one kind.
type rules[T client.Object] struct {
	kind     string
	errors   func(T) field.ErrorList
	warnings func(T) []string
	// affectsJobs reports whether an update changes which Jobs run, or how.
	affectsJobs func(old, updated T) bool
}

// Setup registers the webhooks with the manager's webhook server.
func Setup(mgr ctrl.Manager) error {
	return errors.Join(
		register(mgr, &v1alpha1.JobFlow{}, rules[*v1alpha1.JobFlow]{
			kind: v1alpha1.KindJobFlow, errors: validation.JobFlow, warnings: validation.JobFlowWarnings, affectsJobs: flowAffectsJobs,
		}),
		register(mgr, &v1alpha1.DaemonJob{}, rules[*v1alpha1.DaemonJob]{
			kind: v1alpha1.KindDaemonJob, errors: validation.DaemonJob, warnings: validation.DaemonJobWarnings, affectsJobs: daemonJobAffectsJobs,
		}),
		register(mgr, &v1alpha1.JobTemplate{}, rules[*v1alpha1.JobTemplate]{
			kind: v1alpha1.KindJobTemplate, errors: validation.JobTemplate, warnings: validation.JobTemplateWarnings, affectsJobs: templateAffectsJobs,
		}),
	)
}

func register[T client.Object](mgr ctrl.Manager, obj T, checks rules[T]) error {
	err := ctrl.NewWebhookManagedBy(mgr, obj).
		WithValidator(&guard[T]{Validator: &validator[T]{checks}, reviews: mgr.GetClient(), affectsJobs: checks.affectsJobs}).
		Complete()
	if err != nil {
		return fmt.Errorf("registering the webhook of %s: %w", checks.kind, err)
	}
	return nil
}
