package apitest_test

import (
	"slices"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// operatorLog keeps what an operator logs up to V(2).
type operatorLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *operatorLog) logger() logr.Logger {
	return funcr.New(func(_, line string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, line)
	}, funcr.Options{Verbosity: 2})
}

func (l *operatorLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// with returns the lines that have all of these texts.
func (l *operatorLog) with(texts ...string) []string {
	return slices.DeleteFunc(l.all(), func(line string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
	})
}

var _ = Describe("Logs", func() {
	It("show the life of a flow with a wait, a refusal and a failure", func() {
		ns := newNamespace()
		written := &operatorLog{}
		DeferCleanup(startOperatorLogging(ns, written.logger(), controllers.Options{}).stop)

		foreign := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "logged-taken"}, Spec: *jobSpec()}
		foreign.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		flow := build.Flow(ns, "logged", step("a"), step("b", "a"), step("taken"))
		Expect(k8s.Create(ctx, flow)).To(Succeed())
		Eventually(flowPhases(ns, "logged")).Should(HaveKeyWithValue("taken", "Waiting/NameConflict"))
		fail(ns, "logged-a")
		Eventually(flowState(ns, "logged")).Should(Equal(v1alpha1.StateFailed))

		for _, line := range [][]string{
			{`"level"=1 "msg"="Job created"`, `"jobflow"=`, `"step"="a"`, `"job"="logged-a"`, `"attempt"=1`},
			{`"level"=2 "msg"="Waiting"`, `"step"="b"`, `"reason"="Dependency" "message"="waits for a"`},
			{`"level"=1 "msg"="Job refused"`, `"step"="taken"`, `"reason"="NameConflict"`},
			{`"level"=1 "msg"="Job ended"`, `"step"="a"`, `"phase"="Failed"`, `"reason"="BackoffLimitExceeded"`},
			{`"level"=1 "msg"="Skipped"`, `"step"="b"`, `"reason"="DependencyFailed"`},
			{`"level"=1 "msg"="State changed"`, `"from"="" "to"="Running"`},
			{`"level"=1 "msg"="State changed"`, `"from"="Running" "to"="Failed"`},
		} {
			Expect(written.with(line...)).To(HaveLen(1), "%v in\n%s", line, strings.Join(written.all(), "\n"))
		}
		Expect(written.with(`"level"=2 "msg"="Requeue"`, `"after"=`, `"reason"="a Job that could not be created is retried"`)).NotTo(BeEmpty())
	})
})
