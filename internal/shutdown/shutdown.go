// Package shutdown delays the end of the operator while the API server still calls its
// webhooks.
package shutdown

import (
	"context"
	"time"

	"github.com/go-logr/logr"
)

// Delay returns a context with the values of signalled that is canceled a delay after it.
//
// A pod gets the signal to stop at the same time as it is removed from its Service, and
// each node applies that removal a moment later. Until then the API server calls the
// pod, and refuses the user's JobFlow if it gets no response. kube-apiserver delays its
// own shutdown for the same reason, with a flag of the same name:
// --shutdown-delay-duration.
func Delay(signalled context.Context, delay time.Duration, log logr.Logger) context.Context {
	if delay <= 0 {
		return signalled
	}
	delayed, end := context.WithCancel(context.WithoutCancel(signalled))
	context.AfterFunc(signalled, func() {
		log.Info("Shutting down after a delay in which the API server may still call the webhooks", "delay", delay.String())
		elapsed, stop := context.WithTimeout(context.WithoutCancel(signalled), delay)
		context.AfterFunc(elapsed, func() {
			stop()
			end()
		})
	})
	return delayed
}
