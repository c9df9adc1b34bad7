// Package shutdown is about an operator that is told to end while the API server still
// calls its webhooks.
package shutdown

import (
	"context"
	"time"

	"github.com/go-logr/logr"
)

// Delay returns a context that ends a while after signalled does, with its values.
//
// A pod that is told to end is taken out of its Service at the same time, not before, and
// each node learns of that a moment later: until then the API server calls the pod, and
// refuses the JobFlow of whoever hears no answer. kube-apiserver delays its own end for
// the same reason, with a flag of the same name: --shutdown-delay-duration.
func Delay(signalled context.Context, delay time.Duration, log logr.Logger) context.Context {
	if delay <= 0 {
		return signalled
	}
	delayed, end := context.WithCancel(context.WithoutCancel(signalled))
	context.AfterFunc(signalled, func() {
		log.Info("Told to end; working on until nobody calls the webhooks any more", "delay", delay.String())
		over, stop := context.WithTimeout(context.WithoutCancel(signalled), delay)
		context.AfterFunc(over, func() {
			stop()
			end()
		})
	})
	return delayed
}
