package main

import (
	"context"
	"fmt"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/paths"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

func runAssets(ctx context.Context, args []string) error {
	fs := newFlags("assets", "", `
Builds kube-apiserver, etcd and kubectl where they are not in the cache, and prints
the directory that holds them. Made for envtest:

  KUBEBUILDER_ASSETS=$(go -C hack/devcluster run . assets) go test ./...
`)
	if err := noArgs(fs, args); err != nil {
		return err
	}
	tools, err := newToolchain(progress.New())
	if err != nil {
		return err
	}
	dir, err := tools.Assets(ctx)
	if err != nil {
		return err
	}
	fmt.Println(dir)
	return nil
}

func newToolchain(say *progress.Printer) (*toolchain.Toolchain, error) {
	source, err := paths.Source()
	if err != nil {
		return nil, err
	}
	cache, err := paths.Cache()
	if err != nil {
		return nil, err
	}
	return toolchain.New(source, cache, say), nil
}
