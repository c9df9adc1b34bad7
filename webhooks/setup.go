// Package webhooks admits JobFlows, DaemonJobs and JobTemplates, and sees to it
// that admission has a serving certificate.
package webhooks

import (
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

// Setup registers the webhooks with the manager's webhook server.
func Setup(mgr ctrl.Manager) error {
	if err := register(mgr, &v1alpha1.JobFlow{}, v1alpha1.KindJobFlow, flowDecides, validation.JobFlow, validation.JobFlowWarnings); err != nil {
		return err
	}
	if err := register(mgr, &v1alpha1.DaemonJob{}, v1alpha1.KindDaemonJob, daemonJobDecides, validation.DaemonJob, validation.DaemonJobWarnings); err != nil {
		return err
	}
	return register(mgr, &v1alpha1.JobTemplate{}, v1alpha1.KindJobTemplate, templateDecides, validation.JobTemplate, validation.JobTemplateWarnings)
}

func register[T client.Object](mgr ctrl.Manager, obj T, kind string, decides func(old, updated T) bool, errors func(T) field.ErrorList, warnings func(T) []string) error {
	err := ctrl.NewWebhookManagedBy(mgr, obj).
		WithValidator(&guard[T]{
			Validator: &validator[T]{
				kind:     v1alpha1.GroupVersion.WithKind(kind).GroupKind(),
				errors:   errors,
				warnings: warnings,
			},
			reviews: mgr.GetClient(),
			decides: decides,
		}).
		Complete()
	if err != nil {
		return fmt.Errorf("registering the webhook of %s: %w", kind, err)
	}
	return nil
}
