package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Of the nodes most stay, and some come and go.
const (
	nodes  = 20
	moving = 4
)

func node(i int) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%02d", i)}}
}

// moves says whether a node is one that comes and goes.
func moves(name string) bool { return name >= node(nodes-moving).Name }

// join creates a node, and makes it ready as kubelet and node lifecycle controller do:
// admission taints each new one.
func join(ctx context.Context, c client.Client, seen *census, node *corev1.Node) error {
	seen.nodeJoins(node.Name)
	if err := c.Create(ctx, node); err != nil {
		return err
	}
	node.Spec.Taints = nil
	return c.Update(ctx, node)
}

// moveNodes takes one of the moving nodes away, or brings it back, now and then, until
// the context ends.
func moveNodes(ctx context.Context, c client.Client, seen *census, random *rand.Rand, every time.Duration) (moves int, err error) {
	away := map[int]bool{}
	for {
		if err := pause(ctx, every); err != nil {
			return moves, err
		}
		i := nodes - 1 - random.IntN(moving)
		if away[i] {
			err = join(ctx, c, seen, node(i))
		} else {
			err = c.Delete(ctx, node(i))
		}
		if err != nil {
			return moves, fmt.Errorf("moving a node: %w", err)
		}
		away[i] = !away[i]
		moves++
	}
}
