package install_test

import (
	"context"
	"path/filepath"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// step runs a script after other steps.
func step(name, script string, after ...string) v1alpha1.FlowStep {
	spec := &batchv1.JobSpec{}
	spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](1)
	spec.Template.Spec.Containers = []corev1.Container{{
		Name: "main", Image: "busybox:1.28", ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"sh", "-c", script},
	}}
	return v1alpha1.FlowStep{Name: name, Dependencies: after, JobTemplate: spec}
}

func flowOf(namespace, name string, steps ...v1alpha1.FlowStep) *v1alpha1.JobFlow {
	return &v1alpha1.JobFlow{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       v1alpha1.JobFlowSpec{Flows: steps},
	}
}

// awaitAdmission waits until a JobFlow would be taken, which says that the API
// server trusts the certificate of the webhooks.
func awaitAdmission(ctx context.Context, namespace string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		return k8s.Create(ctx, flowOf(namespace, "asked", step("a", "true")), client.DryRunAll)
	}).Should(Succeed())
}

// refuses expects that admission, and not only the schema, has a look.
func refuses(ctx context.Context, namespace string) {
	GinkgoHelper()
	err := k8s.Create(ctx, flowOf(namespace, "wrong", step("a", "true", "b"), step("b", "true", "a")))
	Expect(err).To(MatchError(ContainSubstring("is part of a cycle")))
	saw("admission refuses: %v", err)
}

// runs expects that a JobFlow gets to its end.
func runs(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, flowOf(namespace, name, step("first", "true"), step("last", "true", "first")))).To(Succeed())
	succeeds(ctx, namespace, "jobflow/"+name)
}

func succeeds(ctx context.Context, namespace, object string) {
	GinkgoHelper()
	kubectl(ctx, "wait", "--for=condition=Complete", "--timeout=2m", "--namespace", namespace, object).succeeded()
	state := kubectl(ctx, "get", object, "--namespace", namespace, "--output", "jsonpath={.status.state}").succeeded()
	Expect(state.stdout).To(Equal("Succeed"))
}

// applySample applies a sample just as it is.
func applySample(ctx context.Context, namespace, file string) {
	GinkgoHelper()
	kubectl(ctx, "apply", "--namespace", namespace, "--filename", filepath.Join(root, "config", "samples", file)).succeeded()
}

// record remembers every Job that a namespace ever had: one that was created twice
// cannot hide.
type record struct {
	mu   sync.Mutex
	jobs map[string]sets.Set[types.UID]
	gap  bool
}

// recordFrom records a namespace that has no Jobs yet.
func recordFrom(ctx context.Context, namespace string) *record {
	GinkgoHelper()
	r := &record{jobs: map[string]sets.Set[types.UID]{}}
	jobs := clientset.BatchV1().Jobs(namespace)
	list, err := jobs.List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(list.Items).To(BeEmpty())
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	// It takes itself up again where it broke off.
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{WatchFuncWithContext: jobs.Watch})
	Expect(err).NotTo(HaveOccurred())
	go func() {
		for event := range watcher.ResultChan() {
			r.note(event)
		}
		if ctx.Err() == nil {
			r.note(watch.Event{Type: watch.Error})
		}
	}()
	return r
}

func (r *record) note(event watch.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	job, ok := event.Object.(*batchv1.Job)
	if !ok {
		r.gap = r.gap || event.Type == watch.Error
		return
	}
	if r.jobs[job.Name] == nil {
		r.jobs[job.Name] = sets.New[types.UID]()
	}
	if !r.jobs[job.Name].Has(job.UID) {
		saw("Job %s", job.Name)
	}
	r.jobs[job.Name].Insert(job.UID)
}

// created counts by name how often a Job was created.
func (r *record) created() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[string]int{}
	for name, uids := range r.jobs {
		counts[name] = uids.Len()
	}
	if r.gap {
		counts["the watch broke off"] = 1
	}
	return counts
}
