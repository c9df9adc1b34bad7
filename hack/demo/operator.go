package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// startManager runs the operator as a process. The function that it returns stops the process.
func startManager(ctx context.Context, program string) (end func(), err error) {
	logs, err := os.Create(program + ".log")
	if err != nil {
		return nil, err
	}
	manager := exec.CommandContext(ctx, program,
		"--enable-webhooks=false", "--metrics-bind-address=0", "--health-probe-bind-address=0")
	manager.Stdout, manager.Stderr = logs, logs
	manager.Cancel = func() error { return manager.Process.Signal(syscall.SIGTERM) }
	manager.WaitDelay = 10 * time.Second
	if err := manager.Start(); err != nil {
		return nil, fmt.Errorf("starting the operator: %w", err)
	}
	fmt.Printf("The operator logs to %s.\n", logs.Name())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := manager.Wait(); err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "The operator ended: %v; see %s\n", err, logs.Name())
		}
	}()
	return func() {
		if err := manager.Process.Signal(syscall.SIGTERM); err == nil {
			<-ended
		}
		logs.Close()
	}, nil
}
