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

// changeOf is an update of one field, and whether it has a say in what Jobs run.
type changeOf[T client.Object] struct {
	before, after func(T)
	decides       bool
}

func checkDecides[T client.Object](t *testing.T, decides func(old, updated T) bool, object func() T, cases map[string]changeOf[T]) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			old, updated := object(), object()
			if c.before != nil {
				c.before(old)
				c.before(updated)
			}
			c.after(updated)
			if got := decides(old, updated); got != c.decides {
				t.Errorf("got %t, want %t", got, c.decides)
			}
		})
	}
}

func TestUpdateOfJobFlowThatDecidesWhatRuns(t *testing.T) {
	type flow = *v1alpha1.JobFlow
	suspended := func(f flow) { f.Spec.Suspend = ptr.To(true) }
	checkDecides(t, flowDecides, func() flow {
		return &v1alpha1.JobFlow{Spec: v1alpha1.JobFlowSpec{Flows: []v1alpha1.FlowStep{{Name: "a", JobTemplateRef: "t"}}}}
	}, map[string]changeOf[flow]{
		"nothing":          {after: func(flow) {}},
		"a label":          {after: func(f flow) { f.Labels = map[string]string{"a": "b"} }},
		"a finalizer":      {after: func(f flow) { f.Finalizers = []string{"a/b"} }},
		"an owner":         {after: func(f flow) { f.OwnerReferences = []metav1.OwnerReference{{Name: "a"}} }},
		"its deletion":     {after: func(f flow) { f.DeletionTimestamp = ptr.To(metav1.NewTime(time.Unix(0, 0))) }},
		"status":           {after: func(f flow) { f.Status.State = v1alpha1.StateRunning }},
		"an empty list":    {after: func(f flow) { f.Spec.Flows[0].Dependencies = []string{} }},
		"suspended":        {after: suspended},
		"the default said": {after: func(f flow) { f.Spec.Suspend = ptr.To(false) }},
		"resumed":          {before: suspended, after: func(f flow) { f.Spec.Suspend = ptr.To(false) }, decides: true},
		"resumed by no value": {
			before: suspended, after: func(f flow) { f.Spec.Suspend = nil }, decides: true,
		},
		"suspended and more": {after: func(f flow) {
			suspended(f)
			f.Spec.Parallelism = ptr.To[int32](9)
		}, decides: true},
		"more while suspended": {
			before: suspended, after: func(f flow) { f.Spec.Parallelism = ptr.To[int32](9) }, decides: true,
		},
		"parallelism": {after: func(f flow) { f.Spec.Parallelism = ptr.To[int32](9) }, decides: true},
		"deadline":    {after: func(f flow) { f.Spec.ActiveDeadlineSeconds = ptr.To[int64](9) }, decides: true},
		"a step":      {after: func(f flow) { f.Spec.Flows[0].JobTemplateRef = "other" }, decides: true},
		"a step of what is being deleted": {after: func(f flow) {
			f.DeletionTimestamp = ptr.To(metav1.NewTime(time.Unix(0, 0)))
			f.Spec.Flows[0].JobTemplateRef = "other"
		}, decides: true},
	})
}

func TestUpdateOfDaemonJobThatDecidesWhatRuns(t *testing.T) {
	type daemonJob = *v1alpha1.DaemonJob
	suspended := func(d daemonJob) { d.Spec.Suspend = ptr.To(true) }
	checkDecides(t, daemonJobDecides, func() daemonJob { return &v1alpha1.DaemonJob{} }, map[string]changeOf[daemonJob]{
		"a label":      {after: func(d daemonJob) { d.Labels = map[string]string{"a": "b"} }},
		"suspended":    {after: suspended},
		"resumed":      {before: suspended, after: func(d daemonJob) { d.Spec.Suspend = nil }, decides: true},
		"backoffLimit": {after: func(d daemonJob) { d.Spec.BackoffLimit = ptr.To[int32](9) }, decides: true},
		"template":     {after: func(d daemonJob) { d.Spec.Template.Spec.ServiceAccountName = "a" }, decides: true},
		"nodes":        {after: func(d daemonJob) { d.Spec.ExcludeNodeList = "a" }, decides: true},
	})
}

func TestUpdateOfJobTemplateThatDecidesWhatRuns(t *testing.T) {
	type template = *v1alpha1.JobTemplate
	checkDecides(t, templateDecides, func() template { return &v1alpha1.JobTemplate{} }, map[string]changeOf[template]{
		"a label":   {after: func(j template) { j.Labels = map[string]string{"a": "b"} }},
		"its Job":   {after: func(j template) { j.Spec.JobTemplate.Template.Spec.ServiceAccountName = "a" }, decides: true},
		"suspended": {after: func(j template) { j.Spec.JobTemplate.Suspend = ptr.To(true) }, decides: true},
		"its Job while a finalizer holds it": {after: func(j template) {
			j.DeletionTimestamp = ptr.To(metav1.NewTime(time.Unix(0, 0)))
			j.Spec.JobTemplate.Template.Spec.ServiceAccountName = "a"
		}, decides: true},
	})
}

// requestOf is a request with everything that a grant may go by.
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

// answering answers every review.
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
	if err := mayCreateJobs(admission.NewContextWithRequest(context.Background(), requestOf()), reviews, "flow"); err != nil {
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
		t.Errorf("what was asked (-want +got):\n%s", diff)
	}
	if !hasDeadline {
		t.Error("without a deadline an answer may be waited for longer than the API server waits for us")
	}
}

func TestReviewThatDoesNotAllow(t *testing.T) {
	cases := map[string]struct {
		status authorizationv1.SubjectAccessReviewStatus
		err    error
		is     func(error) bool
		says   []string
	}{
		"no grant": {
			is: apierrors.IsForbidden,
			says: []string{
				`jobflows.api.practice.com "flow" is forbidden: user "jane" cannot create resource "jobs" in API group "batch" in the namespace "team", and`,
				`grant the user "create" on "jobs.batch" in that namespace, for example with the cluster role edit`,
			},
		},
		"no grant, for a reason": {
			status: authorizationv1.SubjectAccessReviewStatus{Denied: true, Reason: "out of hours"},
			is:     apierrors.IsForbidden,
			says:   []string{`in the namespace "team" (out of hours), and`},
		},
		"an authorizer that failed": {
			status: authorizationv1.SubjectAccessReviewStatus{EvaluationError: "no answer from the authorizer"},
			is:     apierrors.IsInternalError,
			says:   []string{`user "jane" may create Jobs (create jobs.batch) in the namespace "team", so the request is refused; try again: no answer`},
		},
		"an API server that does not answer": {
			err:  errors.New("connection refused"),
			is:   apierrors.IsInternalError,
			says: []string{`user "jane"`, `"team"`, "try again: connection refused"},
		},
		"an operator that may not ask": {
			err:  apierrors.NewForbidden(authorizationv1.Resource("subjectaccessreviews"), "", errors.New("the operator's role is old")),
			is:   apierrors.IsInternalError,
			says: []string{"the operator's role is old"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			reviews := answering(func(_ context.Context, review *authorizationv1.SubjectAccessReview) error {
				review.Status = c.status
				return c.err
			})
			err := mayCreateJobs(admission.NewContextWithRequest(context.Background(), requestOf()), reviews, "flow")
			if !c.is(err) {
				t.Fatalf("got %v, which is of another kind", err)
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("got %v, want it to say %s", err, text)
				}
			}
		})
	}
}

// An authorizer may fail beside one that allows.
func TestReviewThatAllowsInSpiteOfAnError(t *testing.T) {
	reviews := answering(func(_ context.Context, review *authorizationv1.SubjectAccessReview) error {
		review.Status = authorizationv1.SubjectAccessReviewStatus{Allowed: true, EvaluationError: "another authorizer did not answer"}
		return nil
	})
	if err := mayCreateJobs(admission.NewContextWithRequest(context.Background(), requestOf()), reviews, "flow"); err != nil {
		t.Errorf("refused: %v", err)
	}
}

func TestReviewOfNobody(t *testing.T) {
	reviews := answering(func(context.Context, *authorizationv1.SubjectAccessReview) error {
		t.Error("asked about nobody")
		return nil
	})
	if err := mayCreateJobs(context.Background(), reviews, "flow"); !apierrors.IsInternalError(err) {
		t.Errorf("got %v, want an internal error", err)
	}
}

// A request that came before the server was told to stop is answered, so it must not be
// refused for that: an API server that is called in mid-rollout would pass the refusal on.
func TestReviewWhileTheServerStops(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	reviews := answering(func(ctx context.Context, review *authorizationv1.SubjectAccessReview) error {
		review.Status.Allowed = true
		return ctx.Err()
	})
	if err := mayCreateJobs(admission.NewContextWithRequest(stopped, requestOf()), reviews, "flow"); err != nil {
		t.Errorf("refused: %v", err)
	}
}

// Whoever may not create Jobs learns that, and not what else is wrong.
func TestAccessComesBeforeMistakes(t *testing.T) {
	reviews := answering(func(context.Context, *authorizationv1.SubjectAccessReview) error { return nil })
	ctx := admission.NewContextWithRequest(context.Background(), requestOf())
	broken := &v1alpha1.JobTemplate{Spec: v1alpha1.ReusableJobSpec{JobTemplate: batchv1.JobSpec{Parallelism: ptr.To[int32](-1)}}}
	g := &guard[*v1alpha1.JobTemplate]{
		Validator: &validator[*v1alpha1.JobTemplate]{},
		reviews:   reviews,
		decides:   templateDecides,
	}
	if _, err := g.ValidateCreate(ctx, broken); !apierrors.IsForbidden(err) {
		t.Errorf("creating it gave %v, want that it is forbidden", err)
	}
	if _, err := g.ValidateUpdate(ctx, &v1alpha1.JobTemplate{}, broken); !apierrors.IsForbidden(err) {
		t.Errorf("changing it gave %v, want that it is forbidden", err)
	}
}
