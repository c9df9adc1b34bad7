// Devcluster builds and runs a real Kubernetes cluster on one machine, from Go
// modules: no container engine, no registry and no prebuilt binaries are needed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	// The first signal ends the work in an orderly way; a second one, as usual,
	// ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	err := dispatch(ctx, args)
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		return exitUsage
	default:
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		return exitFailed
	}
}
