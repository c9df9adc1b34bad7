package webhooks_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// What an author may be granted.
var (
	ourKinds = rbacv1.PolicyRule{
		APIGroups: []string{"api.practice.com"},
		Resources: []string{"jobflows", "daemonjobs", "jobtemplates"},
		Verbs:     []string{"create", "get", "update", "patch", "delete"},
	}
	ourStatus = rbacv1.PolicyRule{
		APIGroups: []string{"api.practice.com"},
		Resources: []string{"jobflows/status", "jobtemplates/status"},
		Verbs:     []string{"patch"},
	}
	createJobs = rbacv1.PolicyRule{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: []string{"create"}}
	// otherwiseJobs is everything that one may do with Jobs except create them.
	otherwiseJobs = rbacv1.PolicyRule{
		APIGroups: []string{"batch"}, Resources: []string{"jobs"},
		Verbs: []string{"get", "list", "watch", "update", "patch", "delete"},
	}
)

// author is a user who writes JobFlows, DaemonJobs and JobTemplates.
type author struct {
	client.Client
	subject rbacv1.Subject
	info    authenticationv1.UserInfo
}

// authors counts them, since each needs a name of its own.
var authors int

// person authenticates with a certificate.
func person(groups ...string) *author {
	GinkgoHelper()
	authors++
	name := fmt.Sprintf("person-%d", authors)
	user, err := environment.AddUser(envtest.User{Name: name, Groups: groups}, nil)
	Expect(err).NotTo(HaveOccurred())
	return &author{
		Client:  clientOf(user.Config()),
		subject: rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name},
		info:    authenticationv1.UserInfo{Username: name, Groups: groups},
	}
}

// serviceAccount authenticates with a token, as a GitOps controller does.
func serviceAccount(namespace string) *author {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "deployer-"}}
	Expect(k8s.Create(ctx, account)).To(Succeed())
	request := &authenticationv1.TokenRequest{}
	Expect(k8s.SubResource("token").Create(ctx, account, request)).To(Succeed())
	config := rest.AnonymousClientConfig(apiServer)
	config.BearerToken = request.Status.Token
	return &author{
		Client:  clientOf(config),
		subject: rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account.Name},
		info: authenticationv1.UserInfo{
			Username: "system:serviceaccount:" + namespace + ":" + account.Name,
			Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace},
		},
	}
}

// impersonated is a user whom an administrator impersonates.
func impersonated() *author {
	GinkgoHelper()
	authors++
	name := fmt.Sprintf("impersonated-%d", authors)
	config := rest.CopyConfig(apiServer)
	config.Impersonate = rest.ImpersonationConfig{UserName: name}
	return &author{
		Client:  clientOf(config),
		subject: rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name},
		info:    authenticationv1.UserInfo{Username: name},
	}
}

func clientOf(config *rest.Config) client.Client {
	GinkgoHelper()
	c, err := client.New(config, client.Options{Scheme: k8s.Scheme(), Mapper: k8s.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// grant gives rights in a namespace, and waits until the API server applies them.
func (a *author) grant(namespace string, rules ...rbacv1.PolicyRule) *author {
	GinkgoHelper()
	bind(namespace, a.subject, rules...)
	a.awaits(namespace, rules[0])
	return a
}

// bind makes a Role of rules for a subject.
func bind(namespace string, subject rbacv1.Subject, rules ...rbacv1.PolicyRule) {
	GinkgoHelper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "granted-"}, Rules: rules}
	Expect(k8s.Create(ctx, role)).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role.Name},
		Subjects:   []rbacv1.Subject{subject},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
	})).To(Succeed())
}

// awaits waits until a granted rule applies: the API server reads roles from a cache.
func (a *author) awaits(namespace string, rule rbacv1.PolicyRule) {
	GinkgoHelper()
	resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
	Eventually(func(g Gomega) {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: a.info.Username, Groups: a.info.Groups,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: rule.Verbs[0],
				Group: rule.APIGroups[0], Resource: resource, Subresource: subresource,
			},
		}}
		g.Expect(k8s.Create(ctx, review)).To(Succeed())
		g.Expect(review.Status.Allowed).To(BeTrue())
	}).Should(Succeed())
}

// beRefused matches a refusal by the webhook, not one by the API server itself.
func beRefused(who *author, namespace string) types.GomegaMatcher {
	return And(
		WithTransform(apierrors.IsForbidden, BeTrue()),
		MatchError(And(
			ContainSubstring("admission webhook"),
			ContainSubstring(`user %q cannot create resource "jobs" in API group "batch" in the namespace %q`, who.info.Username, namespace),
			ContainSubstring(`grant the user "create" on "jobs.batch"`),
		)))
}

var _ = Describe("A user who may not create Jobs", func() {
	var namespace string
	BeforeEach(func() { namespace = newNamespace() })

	merge := func(text string) client.Patch { return client.RawPatch(apitypes.MergePatchType, []byte(text)) }
	// stored is an object that an administrator created.
	stored := func(text string) client.Object {
		GinkgoHelper()
		obj := object(namespace, text)
		Expect(k8s.Create(ctx, obj)).To(Succeed())
		return obj
	}

	DescribeTable("creates no object of the three kinds until that is granted", func(text string) {
		who := person().grant(namespace, ourKinds, otherwiseJobs)
		Expect(who.Create(ctx, object(namespace, text))).To(beRefused(who, namespace))
		Expect(who.Create(ctx, object(namespace, text), client.DryRunAll)).To(beRefused(who, namespace))

		who.grant(namespace, createJobs)
		Expect(who.Create(ctx, object(namespace, text), client.DryRunAll)).To(Succeed())
		Expect(who.Create(ctx, object(namespace, text))).To(Succeed())
	},
		Entry("JobFlow", validFlow),
		Entry("DaemonJob", validDaemonJob),
		Entry("JobTemplate", validTemplate),
	)

	DescribeTable("is refused, whatever kind of user it is", func(authorIn func(namespace string) *author) {
		who := authorIn(namespace).grant(namespace, ourKinds)
		Expect(who.Create(ctx, object(namespace, validFlow))).To(beRefused(who, namespace))
		who.grant(namespace, createJobs)
		Expect(who.Create(ctx, object(namespace, validFlow))).To(Succeed())
	},
		Entry("a person", func(string) *author { return person() }),
		Entry("a service account", serviceAccount),
		Entry("an impersonated user", func(string) *author { return impersonated() }),
	)

	It("may create objects in the namespace of the grant only", func() {
		other := newNamespace()
		who := serviceAccount(namespace).grant(namespace, ourKinds, createJobs).grant(other, ourKinds)
		Expect(who.Create(ctx, object(namespace, validFlow))).To(Succeed())
		Expect(who.Create(ctx, object(other, validFlow))).To(beRefused(who, other))
	})

	It("may create objects after a grant to a group", func() {
		who := person("developers").grant(namespace, ourKinds)
		Expect(who.Create(ctx, object(namespace, validFlow))).To(beRefused(who, namespace))
		bind(namespace, rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "developers"}, createJobs)
		who.awaits(namespace, createJobs)
		Expect(who.Create(ctx, object(namespace, validFlow))).To(Succeed())
	})

	It("creates no object by server-side apply either", func() {
		who := person().grant(namespace, ourKinds)
		apply := client.ApplyConfigurationFromUnstructured(object(namespace, validFlow))
		Expect(who.Apply(ctx, apply, client.FieldOwner("gitops"))).To(beRefused(who, namespace))
	})

	DescribeTable("cannot change which Jobs run", func(text, patch string) {
		obj := stored(text)
		who := person().grant(namespace, ourKinds)
		Expect(who.Patch(ctx, obj, merge(patch))).To(beRefused(who, namespace))
		who.grant(namespace, createJobs)
		Expect(who.Patch(ctx, obj, merge(patch))).To(Succeed())
	},
		Entry("by parallelism of a JobFlow", validFlow, `{"spec":{"parallelism":9}}`),
		Entry("by backoffLimit of a DaemonJob", validDaemonJob, `{"spec":{"backoffLimit":9}}`),
		Entry("by a JobTemplate, which another user's flow may wait for", validTemplate,
			`{"spec":{"jobTemplate":{"template":{"spec":{"serviceAccountName":"privileged"}}}}}`),
	)

	It("may suspend, but not resume", func() {
		flow, daemonJob := stored(validFlow), stored(validDaemonJob)
		who := person().grant(namespace, ourKinds)
		for _, obj := range []client.Object{flow, daemonJob} {
			Expect(who.Patch(ctx, obj, merge(`{"spec":{"suspend":true}}`))).To(Succeed())
			Expect(who.Patch(ctx, obj, merge(`{"spec":{"suspend":false}}`))).To(beRefused(who, namespace))
			Expect(who.Patch(ctx, obj, merge(`{"spec":{"suspend":null}}`))).To(beRefused(who, namespace))
		}
	})

	DescribeTable("may write metadata, as the garbage collector and other controllers do", func(text string) {
		obj := stored(text)
		who := person().grant(namespace, ourKinds)
		Expect(who.Patch(ctx, obj, merge(`{"metadata":{"labels":{"a":"b"},"finalizers":["example.com/hold"]}}`))).To(Succeed())
		Expect(who.Update(ctx, obj)).To(Succeed(), "an unchanged object can be written back")
		Expect(who.Delete(ctx, obj)).To(Succeed())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed(), "the finalizer keeps it")
		Expect(who.Patch(ctx, obj, merge(`{"metadata":{"finalizers":null}}`))).To(Succeed())
		Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(obj), obj))).To(BeTrue())
	},
		Entry("of a JobFlow", validFlow),
		Entry("of a DaemonJob", validDaemonJob),
		Entry("of a JobTemplate", validTemplate),
	)

	It("cannot change a JobTemplate that is kept by a finalizer", func() {
		template := stored(validTemplate)
		who := person().grant(namespace, ourKinds)
		Expect(who.Patch(ctx, template, merge(`{"metadata":{"finalizers":["example.com/hold"]}}`))).To(Succeed())
		Expect(who.Delete(ctx, template)).To(Succeed())
		Expect(who.Patch(ctx, template, merge(`{"spec":{"jobTemplate":{"backoffLimit":9}}}`))).To(beRefused(who, namespace))
	})

	It("may write status, as the operator does", func() {
		flow, template := stored(validFlow), stored(validTemplate)
		who := serviceAccount(namespace).grant(namespace, ourStatus)
		Expect(who.Status().Patch(ctx, flow, merge(`{"status":{"state":"Running"}}`))).To(Succeed())
		Expect(who.Status().Patch(ctx, template, merge(`{"status":{"dependencies":1}}`))).To(Succeed())
	})
})
