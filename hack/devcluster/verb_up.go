package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/cluster"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/progress"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

const defaultName = "dev"

func nameFlag(fs *flag.FlagSet) *string {
	return fs.String("name", defaultName, "the cluster's `name`")
}

func runUp(ctx context.Context, args []string) error {
	fs := newFlags("up", "", `
Starts the cluster, or repairs it: what runs is kept, what is missing is started. A cluster
that cannot be changed into the requested one is recreated, with a message.

Real nodes need Linux and root. Without, and without --real, nodes are simulated.
Without --nodes, --real and --simulated, an existing cluster keeps what it has.
`)
	name := nameFlag(fs)
	nodes := fs.String("nodes", "", "how many nodes, or their names separated by commas (default 3: minikube,node1,node2)")
	simulated := fs.Bool("simulated", false, "simulate the nodes, on loopback and without root")
	realNodes := fs.Bool("real", false, "real nodes or an error")
	sync := fs.Bool("etcd-fsync", false, "let etcd wait for the disk; slower, and safe against a power cut")
	audit := fs.String("audit-policy", "", "a `file` with the audit policy; the API server then writes logs/audit.log")
	if err := noArgs(fs, args); err != nil {
		return err
	}
	o := cluster.UpOptions{SyncEtcd: *sync}
	if *audit != "" {
		policy, err := os.ReadFile(*audit)
		if err != nil {
			return err
		}
		o.AuditPolicy = string(policy)
	}
	switch {
	case *simulated && *realNodes:
		return usagef("up: give --real or --simulated, not both")
	case *simulated:
		o.Mode = cluster.Simulated
	case *realNodes:
		o.Mode = cluster.Real
	}
	if *nodes != "" {
		names, err := cluster.ParseNodes(*nodes)
		if err != nil {
			return usagef("up: %v", err)
		}
		o.Nodes = names
	}
	say := progress.New()
	c, err := cluster.New(*name, say)
	if err != nil {
		return usagef("up: %v", err)
	}
	if err := c.Up(ctx, o); err != nil {
		return err
	}
	state, err := c.State()
	if err != nil {
		return err
	}
	tools, err := newToolchain(say)
	if err != nil {
		return err
	}
	kubectl, err := tools.Ensure(ctx, toolchain.Kubectl)
	if err != nil {
		return err
	}
	say.Say("cluster %s is up: Kubernetes %s, %s nodes: %s", *name, state.Kubernetes, state.Mode, shortList(state.Names()))
	say.Say("use it:    export KUBECONFIG=%s PATH=%s:$PATH", c.Kubeconfig(), filepath.Dir(kubectl[toolchain.Kubectl]))
	say.Say("end it:    %s", invocation(*name, "down"))
	return nil
}

// invocation is how a user calls a verb on a cluster.
func invocation(name, verb string) string {
	if name == defaultName {
		return "devcluster " + verb
	}
	return "devcluster " + verb + " --name " + name
}

func runDown(ctx context.Context, args []string) error {
	fs := newFlags("down", "", `
Ends the cluster and deletes its state. Built programs stay in the cache. Only what
devcluster has started is ended. It is no error if there is no cluster.
`)
	name := nameFlag(fs)
	if err := noArgs(fs, args); err != nil {
		return err
	}
	c, err := cluster.New(*name, progress.New())
	if err != nil {
		return usagef("down: %v", err)
	}
	return c.Down(ctx)
}

func runStatus(ctx context.Context, args []string) error {
	fs := newFlags("status", "", `
Tells what runs. The exit code is 0 when all of the cluster runs, 1 otherwise.
`)
	name := nameFlag(fs)
	if err := noArgs(fs, args); err != nil {
		return err
	}
	c, err := cluster.New(*name, progress.New())
	if err != nil {
		return usagef("status: %v", err)
	}
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "cluster\t%s\n", *name)
	fmt.Fprintf(w, "mode\t%s\n", s.Mode)
	fmt.Fprintf(w, "kubernetes\t%s\n", s.Kubernetes)
	fmt.Fprintf(w, "etcd\t%s\n", s.Etcd)
	fmt.Fprintf(w, "api\t%s\n", s.API)
	fmt.Fprintf(w, "kubeconfig\t%s\n", c.Kubeconfig())
	fmt.Fprintf(w, "logs\t%s\n", s.Logs)
	fmt.Fprintf(w, "nodes\t%s\n", shortList(s.Nodes))
	for _, d := range s.Daemons {
		if d.PID > 0 {
			fmt.Fprintf(w, "%s\trunning, pid %d\n", d.Name, d.PID)
		} else {
			fmt.Fprintf(w, "%s\tnot running\n", d.Name)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if s.Trouble != "" {
		return fmt.Errorf("%s; %q repairs it", s.Trouble, invocation(*name, "up"))
	}
	return nil
}

func shortList(names []string) string {
	if len(names) > 10 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}

func runKubeconfig(_ context.Context, args []string) error {
	fs := newFlags("kubeconfig", "", `Prints the path of the cluster's kubeconfig.`)
	name := nameFlag(fs)
	if err := noArgs(fs, args); err != nil {
		return err
	}
	c, err := cluster.New(*name, progress.New())
	if err != nil {
		return usagef("kubeconfig: %v", err)
	}
	if _, err := os.Stat(c.Kubeconfig()); err != nil {
		return cluster.ErrNoCluster
	}
	fmt.Println(c.Kubeconfig())
	return nil
}

func runBinDir(ctx context.Context, args []string) error {
	fs := newFlags("bin-dir", "", `Builds kubectl where it is not in the cache, and prints its directory.`)
	if err := noArgs(fs, args); err != nil {
		return err
	}
	tools, err := newToolchain(progress.New())
	if err != nil {
		return err
	}
	built, err := tools.Ensure(ctx, toolchain.Kubectl)
	if err != nil {
		return err
	}
	fmt.Println(filepath.Dir(built[toolchain.Kubectl]))
	return nil
}

func runLoadImage(ctx context.Context, args []string) error {
	fs := newFlags("load-image", "FILE...", `
Imports image archives (docker or OCI) into every node. Simulated nodes need none.
`)
	name := nameFlag(fs)
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("load-image needs an archive; see \"devcluster load-image --help\"")
	}
	for i, file := range files {
		if _, err := os.Stat(file); err != nil {
			return err
		}
		if files[i], err = filepath.Abs(file); err != nil {
			return err
		}
	}
	c, err := cluster.New(*name, progress.New())
	if err != nil {
		return usagef("load-image: %v", err)
	}
	return c.LoadImages(ctx, files)
}
