package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/cluster"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
)

// verb is one command of the program.
type verb struct {
	name    string
	summary string
	run     func(ctx context.Context, args []string) error
	// hidden verbs are how the program starts parts of itself.
	hidden bool
}

func verbs() []verb {
	return []verb{
		{name: "up", summary: "start the cluster, or repair it", run: runUp},
		{name: "down", summary: "end the cluster and delete what it has left", run: runDown},
		{name: "status", summary: "tell what runs", run: runStatus},
		{name: "load-image", summary: "import image archives into every node", run: runLoadImage},
		{name: "kill", summary: "end daemons as a crash does", run: runKill},
		{name: "kill-node", summary: "end a node as a power cut does", run: runKillNode},
		{name: "pause", summary: "let daemons hang", run: runPause},
		{name: "resume", summary: "let paused daemons go on", run: runResume},
		{name: "kubeconfig", summary: "print the path of the kubeconfig", run: runKubeconfig},
		{name: "bin-dir", summary: "build kubectl; print the directory that holds it", run: runBinDir},
		{name: "assets", summary: "build kube-apiserver, etcd and kubectl; print the directory that holds them (KUBEBUILDER_ASSETS)", run: runAssets},
		{name: "image", summary: "write the container image of a static program as an archive", run: runImage},
		{name: process.LaunchVerb, hidden: true, run: func(_ context.Context, args []string) error { return process.Launch(args) }},
		{name: cluster.ForwardVerb, hidden: true, run: runForward},
	}
}

// usageError is a mistake on the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

func usagef(format string, args ...any) error {
	return usageError(fmt.Sprintf(format, args...))
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		printUsage(os.Stderr)
		return usagef("which verb? (see above)")
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		printUsage(os.Stdout)
		return nil
	}
	var names []string
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(ctx, args[1:])
		}
		if !v.hidden {
			names = append(names, v.name)
		}
	}
	return usagef("no verb %q; there are: %s", args[0], strings.Join(names, ", "))
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, `Devcluster builds and runs a real Kubernetes cluster on one machine.

Usage: devcluster VERB [flags]

`)
	for _, v := range verbs() {
		if !v.hidden {
			fmt.Fprintf(w, "  %-12s %s\n", v.name, v.summary)
		}
	}
	fmt.Fprint(w, `
"devcluster VERB --help" tells a verb's flags. Answers go to stdout, progress to stderr.

Environment:
  DEVCLUSTER_CACHE   where built programs are kept (default: $XDG_CACHE_HOME or ~/.cache)
  DEVCLUSTER_STATE   where clusters keep their state (default: ~/.local/state/jobflow-devcluster)
  DEVCLUSTER_SOURCE  this module's sources, when run from elsewhere than the repository
`)
}

// newFlags returns a flag set whose help explains the verb and then its flags.
func newFlags(name, args, about string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {
		fmt.Printf("Usage: devcluster %s\n\n%s\n", strings.TrimSpace(name+" [flags] "+args), strings.TrimSpace(about))
		fs.SetOutput(os.Stdout)
		hasFlags := false
		fs.VisitAll(func(*flag.Flag) { hasFlags = true })
		if hasFlags {
			fmt.Print("\nFlags:\n")
			fs.PrintDefaults()
		}
		fs.SetOutput(io.Discard)
	}
	return fs
}

// parse reads flags, also those after the arguments: "load-image FILE --name x".
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	// The package would print the whole help for every mistake.
	help := fs.Usage
	fs.Usage = func() {}
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				help()
				return nil, err
			}
			return nil, usagef("%s: %v; see \"devcluster %s --help\"", fs.Name(), err, fs.Name())
		}
		if fs.NArg() == 0 {
			return rest, nil
		}
		// What follows "--" is arguments only.
		consumed := len(args) - fs.NArg()
		if consumed > 0 && args[consumed-1] == "--" {
			return append(rest, fs.Args()...), nil
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// noArgs is parse for verbs that take flags only.
func noArgs(fs *flag.FlagSet, args []string) error {
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("%s takes no argument, but there is %q; see \"devcluster %s --help\"", fs.Name(), rest[0], fs.Name())
	}
	return nil
}
