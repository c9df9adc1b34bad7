//go:build !linux

package cluster

import (
	"context"
	"errors"
	"runtime"
)

const maxReal = 0

func realImpossible() string { return "they need Linux, and this is " + runtime.GOOS }

var errNoReal = errors.New("real nodes need Linux")

func (c *Cluster) upReal(context.Context, *State) error { return errNoReal }

func (c *Cluster) cleanReal(context.Context, *State) error { return nil }

// KillNode has nothing to kill where nodes are simulated.
func (c *Cluster) KillNode(context.Context, string) error { return errNoReal }

// LoadImages has nothing to do where nodes are simulated.
func (c *Cluster) LoadImages(context.Context, []string) error {
	state, err := c.State()
	if err != nil {
		return err
	}
	if state == nil {
		return ErrNoCluster
	}
	c.say.Say("simulated nodes run no containers; nothing to load")
	return nil
}
