// Demo runs the published example flow, with shorter sleeps, and a DaemonJob in the cluster of
// KUBECONFIG, and prints each change of their status. "make demo" first starts that cluster and
// installs the operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

type options struct {
	samples   string
	manager   string
	namespace string
	timeout   time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.samples, "samples", "config/samples", "`directory` with jobflow.yaml and daemonjob.yaml")
	flag.StringVar(&o.manager, "manager", "", "run this `program` as the operator while the demo lasts (default: the operator is in the cluster)")
	flag.StringVar(&o.namespace, "namespace", "default", "`namespace` to run in")
	flag.DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long everything may take")
	flag.Parse()

	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("it did not end within %v", o.timeout))
	defer cancel()

	// The logs of libraries would hide the output of the demo.
	log.SetLogger(zap.New(zap.WriteTo(io.Discard)))
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("reaching the cluster: %w", err)
	}
	err = tell(ctx, o, config, c)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// tell runs the demo.
func tell(ctx context.Context, o options, config *rest.Config, c client.Client) error {
	simulated := o.manager != ""
	examples, err := load(o.samples, o.namespace, simulated)
	if err != nil {
		return err
	}
	if err := examples.fitTo(ctx, c); err != nil {
		return err
	}
	if simulated {
		fmt.Println("The nodes are simulated: no container runs, so the operator runs as a process on this machine, without webhooks.")
		end, err := startManager(ctx, o.manager)
		if err != nil {
			return err
		}
		defer end()
	} else {
		fmt.Println("Waiting until the operator admits objects.")
		if err := waitForAdmission(ctx, c, examples.flow); err != nil {
			return err
		}
	}
	if err := examples.deleteOld(ctx, c); err != nil {
		return err
	}
	fmt.Printf("\nApplying JobFlow %s (sleeps shortened) and DaemonJob %s. One line a change:\n\n",
		examples.flow.Name, examples.daemon.Name)
	if err := examples.follow(ctx, config, c); err != nil {
		return errors.Join(err, showTables(ctx, o.namespace))
	}
	return showTables(ctx, o.namespace)
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}
