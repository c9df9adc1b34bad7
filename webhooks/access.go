package webhooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// reviewTime is less than the timeoutSeconds of the webhooks: the refusal then says
// what was waited for, where the API server would only say that time ran out.
const reviewTime = 5 * time.Second

// guard admits only what its author could also do by creating Jobs, and leaves the
// rest to the validator within. The operator creates Jobs in every namespace;
// without the guard, whoever may write the objects of ours could have it create
// Jobs that they may not create themselves. docs/design/access.md says why.
type guard[T client.Object] struct {
	admission.Validator[T]
	// reviews is where a SubjectAccessReview is created.
	reviews client.Writer
	// decides says whether an update has a say in what Jobs run.
	decides func(old, updated T) bool
}

// ValidateCreate asks about every new object, a suspended one too: to resume it is
// less than to write it.
func (g *guard[T]) ValidateCreate(ctx context.Context, obj T) (admission.Warnings, error) {
	if err := mayCreateJobs(ctx, g.reviews, obj.GetName()); err != nil {
		return nil, err
	}
	return g.Validator.ValidateCreate(ctx, obj)
}

// ValidateUpdate leaves metadata alone: the garbage collector, a controller that
// removes its finalizer and a person who sets a label need no Jobs for that. An
// object that is being deleted is no exception, since a JobTemplate that somebody's
// finalizer holds is still there to be used.
func (g *guard[T]) ValidateUpdate(ctx context.Context, old, updated T) (admission.Warnings, error) {
	if g.decides(old, updated) {
		if err := mayCreateJobs(ctx, g.reviews, updated.GetName()); err != nil {
			return nil, err
		}
	}
	return g.Validator.ValidateUpdate(ctx, old, updated)
}

func flowDecides(old, updated *v1alpha1.JobFlow) bool {
	before := old.Spec
	before.Suspend = comparedSuspend(before.Suspend, updated.Spec.Suspend)
	return !equality.Semantic.DeepEqual(before, updated.Spec)
}

func daemonJobDecides(old, updated *v1alpha1.DaemonJob) bool {
	before := old.Spec
	before.Suspend = comparedSuspend(before.Suspend, updated.Spec.Suspend)
	return !equality.Semantic.DeepEqual(before, updated.Spec)
}

// templateDecides has no exception for suspend: in a template it is a part of the
// Jobs that others start.
func templateDecides(old, updated *v1alpha1.JobTemplate) bool {
	return !equality.Semantic.DeepEqual(old.Spec, updated.Spec)
}

// comparedSuspend is what the new value is compared with. To suspend only holds
// back, so that it must be open to whoever may write the object; to write out the
// default changes nothing. To resume is a change.
func comparedSuspend(old, updated *bool) *bool {
	if ptr.Deref(updated, false) || !ptr.Deref(old, false) {
		return updated
	}
	return old
}

// mayCreateJobs refuses the request unless the API server says that its user may
// create Jobs in the namespace. It also refuses when there is no answer.
func mayCreateJobs(ctx context.Context, reviews client.Writer, name string) error {
	request, err := admission.RequestFromContext(ctx)
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("finding out who asks: %w", err))
	}
	review := reviewOf(&request)
	// The context of a request ends when the server is told to stop, though the server
	// still answers what it has begun with.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTime)
	defer cancel()
	err = reviews.Create(ctx, review)
	if err == nil && !review.Status.Allowed && review.Status.EvaluationError != "" {
		// An authorizer failed; the API server itself answers its users the same way.
		err = errors.New(review.Status.EvaluationError)
	}
	switch {
	case err != nil:
		return apierrors.NewInternalError(fmt.Errorf(
			"cannot find out whether user %q may create Jobs (create jobs.batch) in the namespace %q, so the request is refused; try again: %w",
			request.UserInfo.Username, request.Namespace, err))
	case review.Status.Allowed:
		return nil
	default:
		return apierrors.NewForbidden(schema.GroupResource{Group: request.Resource.Group, Resource: request.Resource.Resource}, name, refusal(&request, review.Status.Reason))
	}
}

// reviewOf asks about the user as the API server knows it, by all that a grant may
// go by.
func reviewOf(request *admission.Request) *authorizationv1.SubjectAccessReview {
	user := request.UserInfo
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:   user.Username,
		UID:    user.UID,
		Groups: user.Groups,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: request.Namespace,
			Verb:      "create",
			Group:     batchv1.SchemeGroupVersion.Group,
			Version:   batchv1.SchemeGroupVersion.Version,
			Resource:  "jobs",
		},
	}}
	if len(user.Extra) > 0 {
		review.Spec.Extra = make(map[string]authorizationv1.ExtraValue, len(user.Extra))
		for key, value := range user.Extra {
			review.Spec.Extra[key] = authorizationv1.ExtraValue(value)
		}
	}
	return review
}

// refusal says who may not do what and where in the words of the API server, which
// people look for, and then what mends it.
func refusal(request *admission.Request, reason string) error {
	if reason != "" {
		reason = " (" + reason + ")"
	}
	return fmt.Errorf("user %q cannot create resource \"jobs\" in API group %q in the namespace %q%s, and a %s decides what Jobs run there; "+
		"grant the user \"create\" on \"jobs.batch\" in that namespace, for example with the cluster role edit",
		request.UserInfo.Username, batchv1.SchemeGroupVersion.Group, request.Namespace, reason, request.Kind.Kind)
}
