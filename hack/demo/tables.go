package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// showTables prints the objects as kubectl does, even after the demo has timed out.
func showTables(ctx context.Context, namespace string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	fmt.Print("\n$ kubectl get jf,dj,jobs,pods\n")
	kubectl := exec.CommandContext(ctx, "kubectl", "get", "jf,dj,jobs,pods", "--namespace", namespace)
	kubectl.Stdout, kubectl.Stderr = os.Stdout, os.Stderr
	if err := kubectl.Run(); err != nil {
		return fmt.Errorf("kubectl get: %w", err)
	}
	return nil
}
