package main

import (
	"context"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/netns"
)

// runForward is the forwarder daemon.
func runForward(ctx context.Context, args []string) error {
	fs := newFlags("forward", "", `Carries connections into a network namespace; for internal use.`)
	file := fs.String("netns", "", "the namespace's `file`")
	listen := fs.String("listen", "", "`address` on the host")
	to := fs.String("to", "", "`address` in the namespace")
	if err := noArgs(fs, args); err != nil {
		return err
	}
	return netns.Namespace{File: *file}.Forward(ctx, *listen, *to)
}
