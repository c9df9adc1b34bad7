package webhooks

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// changeOf is an update of one field, and whether it affects which Jobs run.
type changeOf[T client.Object] struct {
	before, after func(T)
	affects       bool
}

func checkAffectsJobs[T client.Object](t *testing.T, affectsJobs func(old, updated T) bool, object func() T, cases map[string]changeOf[T]) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			old, updated := object(), object()
			if c.before != nil {
				c.before(old)
				c.before(updated)
			}
			c.after(updated)
			if got := affectsJobs(old, updated); got != c.affects {
				t.Errorf("got %t, want %t", got, c.affects)
			}
		})
	}
}

func TestUpdateOfJobFlowThatAffectsJobs(t *testing.T) {
	type flow = *v1alpha1.JobFlow
	suspended := func(f flow) { f.Spec.Suspend = ptr.To(true) }
	checkAffectsJobs(t, flowAffectsJobs, func() flow {
		return &v1alpha1.JobFlow{Spec: v1alpha1.JobFlowSpec{Flows: []v1alpha1.FlowStep{{Name: "a", JobTemplateRef: "t"}}}}
	}, map[string]changeOf[flow]{
		"nothing":                 {after: func(flow) {}},
		"a label":                 {after: func(f flow) { f.Labels = map[string]string{"a": "b"} }},
		"a finalizer":             {after: func(f flow) { f.Finalizers = []string{"a/b"} }},
		"an owner":                {after: func(f flow) { f.OwnerReferences = []metav1.OwnerReference{{Name: "a"}} }},
		"its deletion":            {after: func(f flow) { f.DeletionTimestamp = ptr.To(metav1.NewTime(time.Unix(0, 0))) }},
		"status":                  {after: func(f flow) { f.Status.State = v1alpha1.StateRunning }},
		"an empty list":           {after: func(f flow) { f.Spec.Flows[0].Dependencies = []string{} }},
		"suspended":               {after: suspended},
		"the default written out": {after: func(f flow) { f.Spec.Suspend = ptr.To(false) }},
		"resumed":                 {before: suspended, after: func(f flow) { f.Spec.Suspend = ptr.To(false) }, affects: true},
		"resumed by removing the field": {
			before: suspended, after: func(f flow) { f.Spec.Suspend = nil }, affects: true,
		},
		"suspended and more": {after: func(f flow) {
			suspended(f)
			f.Spec.Parallelism = ptr.To[int32](9)
		}, affects: true},
		"more while suspended": {
			before: suspended, after: func(f flow) { f.Spec.Parallelism = ptr.To[int32](9) }, affects: true,
		},
		"parallelism": {after: func(f flow) { f.Spec.Parallelism = ptr.To[int32](9) }, affects: true},
		"deadline":    {after: func(f flow) { f.Spec.ActiveDeadlineSeconds = ptr.To[int64](9) }, affects: true},
		"a step":      {after: func(f flow) { f.Spec.Flows[0].JobTemplateRef = "other" }, affects: true},
		"a step, while it is being deleted": {after: func(f flow) {
			f.DeletionTimestamp = ptr.To(metav1.NewTime(time.Unix(0, 0)))
			f.Spec.Flows[0].JobTemplateRef = "other"
		}, affects: true},
	})
}

func TestUpdateOfDaemonJobThatAffectsJobs(t *testing.T) {
	type daemonJob = *v1alpha1.DaemonJob
	suspended := func(d daemonJob) { d.Spec.Suspend = ptr.To(true) }
	checkAffectsJobs(t, daemonJobAffectsJobs, func() daemonJob { return &v1alpha1.DaemonJob{} }, map[string]changeOf[daemonJob]{
		"a label":      {after: func(d daemonJob) { d.Labels = map[string]string{"a": "b"} }},
		"suspended":    {after: suspended},
		"resumed":      {before: suspended, after: func(d daemonJob) { d.Spec.Suspend = nil }, affects: true},
		"backoffLimit": {after: func(d daemonJob) { d.Spec.BackoffLimit = ptr.To[int32](9) }, affects: true},
		"template":     {after: func(d daemonJob) { d.Spec.Template.Spec.ServiceAccountName = "a" }, affects: true},
		"nodes":        {after: func(d daemonJob) { d.Spec.ExcludeNodeList = "a" }, affects: true},
	})
}

func TestUpdateOfJobTemplateThatAffectsJobs(t *testing.T) {
	type template = *v1alpha1.JobTemplate
	checkAffectsJobs(t, templateAffectsJobs, func() template { return &v1alpha1.JobTemplate{} }, map[string]changeOf[template]{
		"a label":   {after: func(j template) { j.Labels = map[string]string{"a": "b"} }},
		"its Job":   {after: func(j template) { j.Spec.JobTemplate.Template.Spec.ServiceAccountName = "a" }, affects: true},
		"suspended": {after: func(j template) { j.Spec.JobTemplate.Suspend = ptr.To(true) }, affects: true},
		"its Job, while a finalizer keeps it": {after: func(j template) {
			j.DeletionTimestamp = ptr.To(metav1.NewTime(time.Unix(0, 0)))
			j.Spec.JobTemplate.Template.Spec.ServiceAccountName = "a"
		}, affects: true},
	})
}

// requestOf is a request with everything that a grant may refer to.
func requestOf() admission.Request {
	return admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Namespace: "team",
		Kind:      metav1.GroupVersionKind{Group: "api.practice.com", Version: "v1alpha1", Kind: "JobFlow"},
		Resource:  metav1.GroupVersionResource{Group: "api.practice.com", Version: "v1alpha1", Resource: "jobflows"},
		UserInfo: authenticationv1.UserInfo{
			Username: "jane", UID: "1", Groups: []string{"developers"},
			Extra: map[string]authenticationv1.ExtraValue{"scope": {"a", "b"}},
		},
	}}
}

// answering is a client that answers every review.
func answering(answer func(context.Context, *authorizationv1.SubjectAccessReview) error) client.Client {
	return fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, _ client.WithWatch, obj client.Object, _ ...client.CreateOption) error {
			review, _ := obj.(*authorizationv1.SubjectAccessReview)
			return answer(ctx, review)
		},
	}).Build()
}

func TestReviewAsksAboutTheWholeUser(t *testing.T) {
	var asked authorizationv1.SubjectAccessReviewSpec
	hasDeadline := false
	reviews := answering(func(ctx context.Context, review *authorizationv1.SubjectAccessReview) error {
		_, hasDeadline = ctx.Deadline()
		asked = review.Spec
		review.Status.Allowed = true
		return nil
	})
	if err := checkMayCreateJobs(admission.NewContextWithRequest(context.Background(), requestOf()), reviews, "flow"); err != nil {
		t.Errorf("refused: %v", err)
	}
	want := authorizationv1.SubjectAccessReviewSpec{
		User: "jane", UID: "1", Groups: []string{"developers"},
		Extra: map[string]authorizationv1.ExtraValue{"scope": {"a", "b"}},
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: "team", Verb: "create", Group: "batch", Version: "v1", Resource: "jobs",
		},
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("review (-want +got):\n%s", diff)
	}
	if !hasDeadline {
		t.Error("the review has no deadline, so it may take longer than the API server waits for the webhook")
	}
}

func TestReviewThatDoesNotAllow(t *testing.T) {
	cases := map[string]struct {
		status authorizationv1.SubjectAccessReviewStatus
		err    error
		kind   func(error) bool
		texts  []string
	}{
		"no grant": {
			kind: apierrors.IsForbidden,
			texts: []string{
				`jobflows.api.practice.com "flow" is forbidden: user "jane" cannot create resource "jobs" in API group "batch" in the namespace "team", and`,
				`grant the user "create" on "jobs.batch" in that namespace, for example with the cluster role edit`,
			},
		},
		"no grant, for a reason": {
			status: authorizationv1.SubjectAccessReviewStatus{Denied: true, Reason: "out of hours"},
			kind:   apierrors.IsForbidden,
			texts:  []string{`in the namespace "team" (out of hours), and`},
		},
		"an authorizer that failed": {
			status: authorizationv1.SubjectAccessReviewStatus{EvaluationError: "no answer from the authorizer"},
			kind:   apierrors.IsInternalError,
			texts:  []string{`user "jane" may create Jobs (create jobs.batch) in the namespace "team", so the request is refused; try again: no answer`},
		},
		"an API server that does not answer": {
			err:   errors.New("connection refused"),
			kind:  apierrors.IsInternalError,
			texts: []string{`user "jane"`, `"team"`, "try again: connection refused"},
		},
		"an operator without permission to ask": {
			err:   apierrors.NewForbidden(authorizationv1.Resource("subjectaccessreviews"), "", errors.New("the operator's role is old")),
			kind:  apierrors.IsInternalError,
			texts: []string{"the operator's role is old"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			reviews := answering(func(_ context.Context, review *authorizationv1.SubjectAccessReview) error {
				review.Status = c.status
				return c.err
			})
			err := checkMayCreateJobs(admission.NewContextWithRequest(context.Background(), requestOf()), reviews, "flow")
			if !c.kind(err) {
				t.Fatalf("got %v, which is an error of another kind", err)
			}
			for _, text := range c.texts {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("got %v, want it to contain %s", err, text)
				}
			}
		})
	}
}

// One authorizer may fail and another allow.
func TestReviewThatAllowsDespiteAnError(t *testing.T) {
	reviews := answering(func(_ context.Context, review *authorizationv1.SubjectAccessReview) error {
		review.Status = authorizationv1.SubjectAccessReviewStatus{Allowed: true, EvaluationError: "another authorizer did not answer"}
		return nil
	})
	if err := checkMayCreateJobs(admission.NewContextWithRequest(context.Background(), requestOf()), reviews, "flow"); err != nil {
		t.Errorf("refused: %v", err)
	}
}

func TestReviewWithoutARequest(t *testing.T) {
	reviews := answering(func(context.Context, *authorizationv1.SubjectAccessReview) error {
		t.Error("created a review without a user")
		return nil
	})
	if err := checkMayCreateJobs(context.Background(), reviews, "flow"); !apierrors.IsInternalError(err) {
		t.Errorf("got %v, want an internal error", err)
	}
}

// The server still answers requests that it accepted before it stops, so their reviews
// must not fail: during a rollout the API server would pass such a refusal on to the user.
func TestReviewWhileTheServerStops(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	reviews := answering(func(ctx context.Context, review *authorizationv1.SubjectAccessReview) error {
		review.Status.Allowed = true
		return ctx.Err()
	})
	if err := checkMayCreateJobs(admission.NewContextWithRequest(stopped, requestOf()), reviews, "flow"); err != nil {
		t.Errorf("refused: %v", err)
	}
}

// A user who may not create Jobs gets that error only, not what else is wrong.
func TestAccessComesBeforeMistakes(t *testing.T) {
	reviews := answering(func(context.Context, *authorizationv1.SubjectAccessReview) error { return nil })
	ctx := admission.NewContextWithRequest(context.Background(), requestOf())
	broken := &v1alpha1.JobTemplate{Spec: v1alpha1.ReusableJobSpec{JobTemplate: batchv1.JobSpec{Parallelism: ptr.To[int32](-1)}}}
	g := &guard[*v1alpha1.JobTemplate]{
		Validator:   &validator[*v1alpha1.JobTemplate]{},
		reviews:     reviews,
		affectsJobs: templateAffectsJobs,
	}
	if _, err := g.ValidateCreate(ctx, broken); !apierrors.IsForbidden(err) {
		t.Errorf("creating it: got %v, want a Forbidden error", err)
	}
	if _, err := g.ValidateUpdate(ctx, &v1alpha1.JobTemplate{}, broken); !apierrors.IsForbidden(err) {
		t.Errorf("changing it: got %v, want a Forbidden error", err)
	}
}
