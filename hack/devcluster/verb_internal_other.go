//go:build !linux

package main

import (
	"context"
	"errors"
)

func runForward(context.Context, []string) error {
	return errors.New("network namespaces are Linux's")
}
