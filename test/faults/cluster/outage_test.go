package cluster

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/jobflow-operator/jobflow-operator/test/testkit"
)

// outage is a time without an API server, or with one that has no etcd.
type outage struct {
	begin func(ctx context.Context)
	// lasts is how long nothing is done about it.
	lasts time.Duration
	end   func(ctx context.Context)
}

// apiServerReady is an error while the API server or its etcd are not ready.
func apiServerReady(ctx context.Context) error {
	return k8s.Clientset.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

func (o outage) inflict(ctx context.Context, t *trial, _ *corev1.Pod) {
	GinkgoHelper()
	began := time.Now()
	o.begin(ctx)
	Eventually(ctx, apiServerReady).ShouldNot(Succeed())
	if o.lasts > 0 {
		Consistently(ctx, apiServerReady).WithTimeout(o.lasts).WithPolling(time.Second).ShouldNot(Succeed())
	}
	ended := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(ended)
		o.end(ctx)
	}()
	Eventually(ctx, apiServerReady).WithPolling(50 * time.Millisecond).Should(Succeed())
	back := time.Now()
	testkit.Saw("the API server is ready again")
	t.part.Add("the API server was not ready for", seconds(back.Sub(began)))

	Eventually(ctx, func() time.Time { return t.record.renewedAfter(back) }).WithTimeout(awaited).ShouldNot(BeZero(), "renewals of the lease")
	t.part.Add("from then to a leader that lives", seconds(t.record.renewedAfter(back).Sub(back)))
	Eventually(ctx, func() time.Time { return t.record.firstJobAfter(back) }).WithTimeout(awaited).ShouldNot(BeZero(), "Jobs after the outage")
	t.part.Add("from then to the next Job", seconds(t.record.firstJobAfter(back).Sub(back)))
	Eventually(ctx, ended).WithTimeout(awaited).Should(BeClosed())
}
