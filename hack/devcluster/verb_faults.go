package main

import (
	"context"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/cluster"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
)

func runKill(ctx context.Context, args []string) error {
	return onDaemons(ctx, "kill", args, (*cluster.Cluster).Kill, `
Ends daemons as a crash does, with SIGKILL. "devcluster status" lists their names;
"devcluster up" starts them again.
`)
}

func runPause(ctx context.Context, args []string) error {
	return onDaemons(ctx, "pause", args, (*cluster.Cluster).Pause, `
Lets daemons hang, with SIGSTOP: connections stay open and get no response. "devcluster
status" lists their names. They go on with "devcluster resume", or "up".
`)
}

func runResume(ctx context.Context, args []string) error {
	return onDaemons(ctx, "resume", args, (*cluster.Cluster).Resume, `
Lets daemons go on that "devcluster pause" has let hang.
`)
}

// onDaemons is the body of verbs that do something to daemons.
func onDaemons(ctx context.Context, verb string, args []string, do func(*cluster.Cluster, context.Context, []string) error, about string) error {
	fs := newFlags(verb, "DAEMON...", about)
	name := nameFlag(fs)
	daemons, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(daemons) == 0 {
		return usagef("%s needs the name of a daemon; see \"devcluster status\"", verb)
	}
	c, err := cluster.New(*name, progress.New())
	if err != nil {
		return usagef("%s: %v", verb, err)
	}
	return do(c, ctx, daemons)
}

func runKillNode(ctx context.Context, args []string) error {
	fs := newFlags("kill-node", "NODE", `
Ends a real node as a power cut does: its kubelet, its containerd and all its containers
at once. The node object stays, as it does then. "devcluster up" switches the node on
again.
`)
	name := nameFlag(fs)
	nodes, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(nodes) != 1 {
		return usagef("kill-node needs the name of one node")
	}
	c, err := cluster.New(*name, progress.New())
	if err != nil {
		return usagef("kill-node: %v", err)
	}
	return c.KillNode(ctx, nodes[0])
}
