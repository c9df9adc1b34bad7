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

// reviewTimeout is less than the timeoutSeconds of the webhooks: the refusal then names
// what timed out, where the API server would only name the webhook.
const reviewTimeout = 5 * time.Second

// guard admits only requests of users who may create Jobs themselves, and leaves the
// rest to the embedded validator. The operator creates Jobs in every namespace; without
// the guard, a user could have it create Jobs just by having write access to JobFlows,
// DaemonJobs or JobTemplates. See docs/design/access.md.
type guard[T client.Object] struct {
	admission.Validator[T]
	// reviews creates SubjectAccessReviews.
	reviews     client.Writer
	affectsJobs func(old, updated T) bool
}

// ValidateCreate checks access for every new object, including suspended ones, which
// can be resumed later.
func (g *guard[T]) ValidateCreate(ctx context.Context, obj T) (admission.Warnings, error) {
	if err := checkMayCreateJobs(ctx, g.reviews, obj.GetName()); err != nil {
		return nil, err
	}
	return g.Validator.ValidateCreate(ctx, obj)
}

// ValidateUpdate does not check access for changes of metadata: the garbage collector, a
// controller that removes its finalizer and a user who sets a label need not be able to
// create Jobs. It does check objects that are being deleted, since steps still use a
// JobTemplate that is kept by a finalizer.
func (g *guard[T]) ValidateUpdate(ctx context.Context, old, updated T) (admission.Warnings, error) {
	if g.affectsJobs(old, updated) {
		if err := checkMayCreateJobs(ctx, g.reviews, updated.GetName()); err != nil {
			return nil, err
		}
	}
	return g.Validator.ValidateUpdate(ctx, old, updated)
}

func flowAffectsJobs(old, updated *v1alpha1.JobFlow) bool {
	before := old.Spec
	before.Suspend = suspendBaseline(before.Suspend, updated.Spec.Suspend)
	return !equality.Semantic.DeepEqual(before, updated.Spec)
}

func daemonJobAffectsJobs(old, updated *v1alpha1.DaemonJob) bool {
	before := old.Spec
	before.Suspend = suspendBaseline(before.Suspend, updated.Spec.Suspend)
	return !equality.Semantic.DeepEqual(before, updated.Spec)
}

// templateAffectsJobs makes no exception for suspend: in a template it is part of the Jobs
// that steps start.
func templateAffectsJobs(old, updated *v1alpha1.JobTemplate) bool {
	return !equality.Semantic.DeepEqual(old.Spec, updated.Spec)
}

// suspendBaseline is the value to compare the updated one with. Suspending starts
// nothing, so everyone who may write the object may do it, and writing the default
// explicitly changes nothing; both compare as equal. Resuming is a change.
func suspendBaseline(old, updated *bool) *bool {
	if ptr.Deref(updated, false) || !ptr.Deref(old, false) {
		return updated
	}
	return old
}

// checkMayCreateJobs refuses the request unless the API server confirms that its user
// may create Jobs in the namespace. It also refuses if the API server does not answer.
func checkMayCreateJobs(ctx context.Context, reviews client.Writer, name string) error {
	request, err := admission.RequestFromContext(ctx)
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("finding the user of the request: %w", err))
	}
	review := newReview(&request)
	// The context of a request is canceled when the server stops, although the server
	// still answers the requests that it has accepted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTimeout)
	defer cancel()
	err = reviews.Create(ctx, review)
	if err == nil && !review.Status.Allowed && review.Status.EvaluationError != "" {
		// An authorizer failed. The API server returns such an error to its users, too.
		err = errors.New(review.Status.EvaluationError)
	}
	switch {
	case err != nil:
		return apierrors.NewInternalError(fmt.Errorf(
			"cannot check whether user %q may create Jobs (create jobs.batch) in the namespace %q, so the request is refused; try again: %w",
			request.UserInfo.Username, request.Namespace, err))
	case review.Status.Allowed:
		return nil
	default:
		return apierrors.NewForbidden(schema.GroupResource{Group: request.Resource.Group, Resource: request.Resource.Resource}, name, refusal(&request, review.Status.Reason))
	}
}

// newReview describes the user as the API server does, with everything that a grant may
// refer to.
func newReview(request *admission.Request) *authorizationv1.SubjectAccessReview {
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

// refusal names user, action and namespace in the API server's own words, which users
// search for, and then says how to fix it.
func refusal(request *admission.Request, reason string) error {
	if reason != "" {
		reason = " (" + reason + ")"
	}
	return fmt.Errorf("user %q cannot create resource \"jobs\" in API group %q in the namespace %q%s, and a %s decides what Jobs run there; "+
		"grant the user \"create\" on \"jobs.batch\" in that namespace, for example with the cluster role edit",
		request.UserInfo.Username, batchv1.SchemeGroupVersion.Group, request.Namespace, reason, request.Kind.Kind)
}
