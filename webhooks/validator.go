package webhooks

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// validator answers admission requests for one kind with the checks of
// internal/validation.
type validator[T client.Object] struct{ rules[T] }

// ValidateCreate refuses an object that has errors, and lists them all.
func (v *validator[T]) ValidateCreate(_ context.Context, obj T) (admission.Warnings, error) {
	return v.warnings(obj), v.refuse(obj, v.errors(obj))
}

// ValidateUpdate reports only what the update introduces. An object that was stored
// before a rule existed, or while webhooks were off, can still be suspended and
// labelled, and its finalizers can be removed.
func (v *validator[T]) ValidateUpdate(_ context.Context, old, updated T) (admission.Warnings, error) {
	if updated.GetDeletionTimestamp() != nil {
		return nil, nil
	}
	text := func(err *field.Error) string { return err.Error() }
	errs := added(v.errors(old), v.errors(updated), text)
	warnings := added(v.warnings(old), v.warnings(updated), func(warning string) string { return warning })
	return warnings, v.refuse(updated, errs)
}

// added returns the entries of updated that old does not have.
func added[E any](old, updated []E, text func(E) string) []E {
	known := sets.New[string]()
	for _, e := range old {
		known.Insert(text(e))
	}
	return slices.DeleteFunc(updated, func(e E) bool { return known.Has(text(e)) })
}

// ValidateDelete allows every deletion; the webhook is not registered for deletions.
func (v *validator[T]) ValidateDelete(context.Context, T) (admission.Warnings, error) {
	return nil, nil
}

func (v *validator[T]) refuse(obj T, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind(v.kind).GroupKind(), obj.GetName(), errs)
}
