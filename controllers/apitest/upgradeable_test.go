package apitest_test

import (
	"context"
	"errors"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/operator-framework/operator-lib/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/testing/build"
)

// toldOLM stands for the OperatorCondition: operator-lib finds the namespace of the
// real one only in a pod, where test/e2e looks at it.
type toldOLM struct {
	mu     sync.Mutex
	told   *metav1.Condition
	writes int
	faults int
}

var _ conditions.Condition = &toldOLM{}

func (c *toldOLM) Get(context.Context) (*metav1.Condition, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told == nil {
		return nil, errors.New("not set yet")
	}
	return c.told.DeepCopy(), nil
}

func (c *toldOLM) Set(_ context.Context, status metav1.ConditionStatus, options ...conditions.Option) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults > 0 {
		c.faults--
		return errors.New("forbidden, as long as OLM has not granted it")
	}
	c.told = &metav1.Condition{Status: status}
	for _, option := range options {
		option(c.told)
	}
	c.writes++
	return nil
}

func (c *toldOLM) is() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told == nil {
		return ""
	}
	return string(c.told.Status) + " " + c.told.Reason + ": " + c.told.Message
}

func (c *toldOLM) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

var _ = Describe("Upgradeable", func() {
	const (
		notHeld = "True NotHeld: JobFlows and DaemonJobs go on through an upgrade; --hold-upgrades is not set."
		nothing = "True NothingRuns: No JobFlow and no DaemonJob is Running."
	)
	var (
		ns   string
		told *toldOLM
	)
	BeforeEach(func() {
		ns = newNamespace()
		told = &toldOLM{}
	})

	start := func(hold bool) {
		GinkgoHelper()
		DeferCleanup(startOperatorWith(ns, controllers.Options{Upgradeable: told, HoldUpgrades: hold}).stop)
	}

	It("is told once where nobody asks to hold upgrades, whatever runs", func() {
		start(false)
		Eventually(told.is).Should(Equal(notHeld))
		Expect(k8s.Create(ctx, build.Flow(ns, "flow", step("one")))).To(Succeed())
		Eventually(flowState(ns, "flow")).Should(Equal(v1alpha1.StateRunning))
		Consistently(told.count, "2s").Should(Equal(1))
	})

	It("is False while something runs", func() {
		start(true)
		Eventually(told.is).Should(Equal(nothing))

		Expect(k8s.Create(ctx, build.Flow(ns, "a", step("one"), step("two", "one")))).To(Succeed())
		Eventually(told.is).Should(Equal("False FlowsRunning: Running: 1 JobFlow. --hold-upgrades holds upgrades until they end."))
		Expect(k8s.Create(ctx, build.Flow(ns, "b", step("one")))).To(Succeed())
		Eventually(told.is).Should(HavePrefix("False FlowsRunning: Running: 2 JobFlows."))

		complete(ns, "b-one")
		Eventually(told.is).Should(HavePrefix("False FlowsRunning: Running: 1 JobFlow."))
		before := told.count()
		complete(ns, "a-one")
		Eventually(jobNames).WithArguments(ns).Should(ContainElement("a-two"))
		Consistently(told.count, "2s").Should(Equal(before), "a step that starts changes nothing")

		flow := build.Flow(ns, "a")
		change(flow, func(flow *v1alpha1.JobFlow) { flow.Spec.Suspend = ptr.To(true) })
		Eventually(told.is).Should(Equal(nothing), "what is suspended holds up nothing")
		change(flow, func(flow *v1alpha1.JobFlow) { flow.Spec.Suspend = ptr.To(false) })
		Eventually(told.is).Should(HavePrefix("False FlowsRunning"))
		Expect(k8s.Delete(ctx, flow)).To(Succeed())
		Eventually(told.is).Should(Equal(nothing))
	})

	It("is known at start from what the objects say", func() {
		start(true)
		Expect(k8s.Create(ctx, build.Flow(ns, "flow", step("one")))).To(Succeed())
		Eventually(told.is).Should(HavePrefix("False FlowsRunning"))
		told = &toldOLM{}
		start(true)
		Eventually(told.is).Should(HavePrefix("False FlowsRunning: Running: 1 JobFlow."))
		Expect(told.count()).To(Equal(1))
	})

	It("is told again after an error", func() {
		told.faults = 2
		start(true)
		Eventually(told.is).Should(Equal(nothing))
	})
})
