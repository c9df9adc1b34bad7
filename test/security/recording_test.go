package security_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/apiserver"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/jobcontroller"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/limit"
	"github.com/jobflow-operator/jobflow-operator/test/testkit/kustomize"
)

// forEveryone are the paths that every authenticated user may read: discovery, and by
// system:public-info-viewer whether the API server is ready.
var forEveryone = []string{"/api", "/apis", "/openapi", "/version", "/readyz"}

// shortcut is a question of the plugin OwnerReferencesPermissionEnforcement: whoever
// may do this may set any owner, so that it need not ask for each.
var shortcut = access{group: "*", resource: "*/finalizers", name: "*", verb: "update"}

// The operator runs as the service account of config/default, with the permissions
// of config/default, and does everything that it ever does. What it asks for is
// recorded: it is to be granted, and nothing is to be granted that it does not ask
// for.
func TestEveryPermissionIsUsedAndNoOtherIsAskedFor(t *testing.T) {
	user := "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount
	seen, authorizer := newRecorder(t, user)
	w := startWorld(t, user, authorizer)
	w.run(t)

	grants := granted(t, w.installed)
	used := map[grant]bool{}
	var asked []string
	for _, a := range seen.accesses() {
		asked = append(asked, a.String())
		covered := a == shortcut || slices.ContainsFunc(forEveryone, func(path string) bool {
			return a.verb == "get" && (a.path == path || strings.HasPrefix(a.path, path+"/"))
		})
		for _, g := range grants {
			if g.covers(a) {
				used[g], covered = true, true
			}
		}
		if !covered {
			t.Errorf("asked for, but not granted: %s", a)
		}
	}
	for _, g := range grants {
		if !used[g] {
			t.Errorf("granted, but never used: %s", g)
		}
	}
	t.Logf("%d grants, %d of them used; the operator asked for:\n%s", len(grants), len(used), strings.Join(asked, "\n"))
}

// world is an API server with config/default in it.
type world struct {
	Gomega
	ctx       context.Context
	k8s       client.Client
	installed []*unstructured.Unstructured
	// kubeconfig is that of the operator's service account.
	kubeconfig string
}

func startWorld(t *testing.T, user, authorizer string) *world {
	t.Helper()
	log.SetLogger(zap.New(zap.WriteTo(t.Output())))
	SetDefaultEventuallyTimeout(limit.Hang)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	w := &world{Gomega: NewWithT(t), ctx: t.Context(), installed: kustomize.Build(t, "default")}

	environment := apiserver.Start(t, func(environment *envtest.Environment) {
		environment.ControlPlane.GetAPIServer().Configure().
			// The recorder has no opinion, so RBAC decides.
			Set("authorization-mode", "Webhook,RBAC").
			Set("authorization-webhook-config-file", authorizer).
			Set("authorization-webhook-version", "v1").
			// As on OpenShift: who sets an owner that is protected from deletion has to be
			// allowed to set finalizers of it.
			Append("enable-admission-plugins", "OwnerReferencesPermissionEnforcement")
	})
	direct, err := client.New(environment.Config, client.Options{Scheme: controllers.NewScheme()})
	w.Expect(err).NotTo(HaveOccurred())
	w.k8s = client.WithFieldValidation(direct, metav1.FieldValidationStrict)
	w.install(append(slices.Clone(w.installed), added(t)...))

	w.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	account := envtest.User{Name: user, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace}}
	w.Expect(apiserver.WriteKubeconfig(environment, account, w.kubeconfig)).To(Succeed())
	return w
}

// added are the objects that the components add.
func added(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	return slices.DeleteFunc(kustomize.Build(t, "default", networkPolicy, highAvailability), func(object *unstructured.Unstructured) bool {
		return object.GetKind() != "NetworkPolicy" && object.GetKind() != "PodDisruptionBudget"
	})
}

// install creates what is rendered; the API server is to understand every field.
func (w *world) install(objects []*unstructured.Unstructured) {
	namespaceFirst := func(object *unstructured.Unstructured) int {
		if object.GetKind() == "Namespace" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return namespaceFirst(a) - namespaceFirst(b) })
	for _, object := range objects {
		object := object.DeepCopy()
		switch object.GetKind() {
		case "CustomResourceDefinition":
			continue // envtest has installed it
		case "Secret":
			continue // somebody has deleted it, and the operator has to make it anew
		case "ValidatingWebhookConfiguration":
			// The API server has no way to a Service here, so that it must not ask.
			webhooks, _, err := unstructured.NestedSlice(object.Object, "webhooks")
			w.Expect(err).NotTo(HaveOccurred())
			for _, webhook := range webhooks {
				webhook.(map[string]any)["objectSelector"] = map[string]any{"matchLabels": map[string]any{"nothing": "has-this"}}
			}
			w.Expect(unstructured.SetNestedSlice(object.Object, webhooks, "webhooks")).To(Succeed())
		}
		w.Expect(w.k8s.Create(w.ctx, object)).To(Succeed(), "%s %s", object.GetKind(), object.GetName())
	}
}

// run has the operator do all that it ever does.
func (w *world) run(t *testing.T) {
	namespace := "work"
	w.Expect(w.k8s.Create(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
	for _, name := range []string{"node1", "node2"} {
		w.Expect(w.k8s.Create(w.ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	}

	op := w.startOperator(t)
	w.Eventually(op.Ready).Should(BeTrue(), "it makes its certificate and announces it")
	w.askAboutFlow(op, namespace)
	scraper, err := apiserver.NewServiceAccount(w.ctx, w.k8s, namespace, "scraper", "jobflow-operator-metrics-reader")
	w.Expect(err).NotTo(HaveOccurred())
	w.scrape(op, scraper)

	// A flow with a JobTemplate, of which every Job ends, and that is deleted in time.
	w.Expect(w.k8s.Create(w.ctx, build.JobTemplate(namespace, "template"))).To(Succeed())
	flow := w.createFlow(namespace, "whole", func(spec *v1alpha1.JobFlowSpec) {
		spec.Flows = append(spec.Flows, build.StepFrom("template", "b", "a"))
		spec.TTLSecondsAfterFinished = ptr.To[int32](1)
	})
	w.end(namespace, "whole-a", batchv1.JobComplete)
	w.end(namespace, "whole-b", batchv1.JobComplete)
	w.gone(flow)

	// One that fails.
	w.createFlow(namespace, "broken")
	w.end(namespace, "broken-a", batchv1.JobFailed)
	w.reaches(namespace, "broken", v1alpha1.StateFailed)

	// One that rests a while.
	rests := w.createFlow(namespace, "rests")
	w.reaches(namespace, "rests", v1alpha1.StateRunning)
	w.suspend(rests, true)
	w.reaches(namespace, "rests", v1alpha1.StateSuspended)
	w.Eventually(func() *bool { return w.job(namespace, "rests-a").Spec.Suspend }).Should(Equal(ptr.To(true)))
	w.suspend(rests, false)
	w.reaches(namespace, "rests", v1alpha1.StateRunning)

	// One for whose Jobs both names are taken: of the same event once more, only the
	// count is written.
	for _, name := range []string{"taken-a", "taken-b"} {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: *build.JobSpec()}
		job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
		w.Expect(w.k8s.Create(w.ctx, job)).To(Succeed())
	}
	w.createFlow(namespace, "taken", func(spec *v1alpha1.JobFlowSpec) {
		spec.Flows = append(spec.Flows, build.Step("b"))
	})
	w.Eventually(func() (list eventsv1.EventList, err error) {
		err = w.k8s.List(w.ctx, &list, client.InNamespace(namespace))
		return list, err
	}).Should(HaveField("Items", ContainElement(And(
		HaveField("Regarding.Name", "taken"), HaveField("Series", Not(BeNil()))))))

	// One whose Job waits in a queue until the flow's time is over.
	w.createFlow(namespace, "late", func(spec *v1alpha1.JobFlowSpec) {
		spec.Flows[0].JobTemplate.Suspend = ptr.To(true)
		spec.ActiveDeadlineSeconds = ptr.To[int64](1)
	})
	w.reaches(namespace, "late", v1alpha1.StateFailed)

	// A DaemonJob, one of whose nodes goes.
	daemon := build.DaemonJob(namespace, "daemon")
	// Nobody here takes away the taint with which nodes join.
	daemon.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	w.Expect(w.k8s.Create(w.ctx, daemon)).To(Succeed())
	w.Eventually(func() string { return w.phase(daemon, "node2") }).Should(Equal("Running"))
	w.Expect(w.k8s.Delete(w.ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node2"}})).To(Succeed())
	w.Eventually(func() string { return w.phase(daemon, "node2") }).ShouldNot(Equal("Running"))

	// Another operator takes over, and looks at what it did not write itself. It lists
	// before it watches, as against an API server that does not send both in one.
	w.Expect(op.Stop()).To(Succeed())
	next := w.startOperator(t, "KUBE_FEATURE_WatchListClient=false")
	w.Eventually(next.Ready).Should(BeTrue())
	w.end(namespace, "rests-a", batchv1.JobComplete)
	w.reaches(namespace, "rests", v1alpha1.StateSucceed)
	w.end(namespace, "daemon-node1", batchv1.JobComplete)
	w.Eventually(func() string { return w.phase(daemon, "node1") }).Should(Equal("Succeeded"))
	w.Expect(w.k8s.Delete(w.ctx, daemon)).To(Succeed())
	w.Expect(next.Stop()).To(Succeed())
}

// createFlow creates a flow of one step, a, or as it is edited.
func (w *world) createFlow(namespace, name string, edits ...func(*v1alpha1.JobFlowSpec)) *v1alpha1.JobFlow {
	flow := build.Flow(namespace, name, build.Step("a"))
	for _, edit := range edits {
		edit(&flow.Spec)
	}
	w.Expect(w.k8s.Create(w.ctx, flow)).To(Succeed())
	return flow
}

func (w *world) flow(namespace, name string) *v1alpha1.JobFlow {
	flow := &v1alpha1.JobFlow{}
	w.Expect(w.k8s.Get(w.ctx, client.ObjectKey{Namespace: namespace, Name: name}, flow)).To(Succeed())
	return flow
}

func (w *world) reaches(namespace, name string, state v1alpha1.State) {
	w.Eventually(func() v1alpha1.State { return w.flow(namespace, name).Status.State }).Should(Equal(state), name)
}

func (w *world) suspend(flow *v1alpha1.JobFlow, suspend bool) {
	patch := client.MergeFrom(flow.DeepCopy())
	flow.Spec.Suspend = ptr.To(suspend)
	w.Expect(w.k8s.Patch(w.ctx, flow, patch)).To(Succeed())
}

func (w *world) gone(object client.Object) {
	w.Eventually(func() bool {
		return apierrors.IsNotFound(w.k8s.Get(w.ctx, client.ObjectKeyFromObject(object), object))
	}).Should(BeTrue(), "%s is deleted when its TTL has passed", object.GetName())
}

func (w *world) job(namespace, name string) *batchv1.Job {
	job := &batchv1.Job{}
	w.Expect(w.k8s.Get(w.ctx, client.ObjectKey{Namespace: namespace, Name: name}, job)).To(Succeed())
	return job
}

// phase is that of a node of a DaemonJob.
func (w *world) phase(daemon *v1alpha1.DaemonJob, node string) string {
	w.Expect(w.k8s.Get(w.ctx, client.ObjectKeyFromObject(daemon), daemon)).To(Succeed())
	for _, run := range daemon.Status.Nodes {
		if run.Name == node {
			return string(run.Phase)
		}
	}
	return ""
}

// end does what the Job controller does, which does not run here.
func (w *world) end(namespace, name string, how batchv1.JobConditionType) {
	w.Expect(jobcontroller.EndCreated(w.ctx, w.k8s, client.ObjectKey{Namespace: namespace, Name: name}, how, "Test")).To(Succeed(), name)
}
