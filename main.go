// The operator: flags, manager and setup.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/jobflow-operator/jobflow-operator/controllers"
	"github.com/jobflow-operator/jobflow-operator/internal/metrics"
	"github.com/jobflow-operator/jobflow-operator/internal/shutdown"
	"github.com/jobflow-operator/jobflow-operator/internal/startup"
	"github.com/jobflow-operator/jobflow-operator/webhooks"
)

// version is set with -ldflags "-X main.version=...".
var version string

// namespaceFile holds the namespace of the pod.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// holdUpgradesVariable sets the default of --hold-upgrades, since an OLM Subscription can
// set environment variables but not arguments.
const holdUpgradesVariable = "HOLD_UPGRADES"

type options struct {
	metricsAddress string
	metricsSecure  bool
	probeAddress   string
	leaderElect    bool
	workers        int
	namespace      string
	holdUpgrades   bool
	enableWebhooks bool
	shutdownDelay  time.Duration
	webhooks       webhooks.ServerOptions
	certs          webhooks.CertOptions
	zap            zap.Options
	printVersion   bool
}

func (o *options) bind(flags *flag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "Address of the metrics endpoint; 0 switches it off.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS, and only to clients that the API server authorizes.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz; 0 switches them off.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "Let only one replica at a time reconcile. All replicas serve admission.")
	flags.IntVar(&o.workers, "workers", 64, "Number of objects of each kind that are reconciled at the same time.")
	flags.StringVar(&o.namespace, "namespace", "", "Namespace of the operator's own Secret and Lease. Default: the namespace of the pod.")
	flags.BoolVar(&o.holdUpgrades, "hold-upgrades", false, "Under OLM, hold upgrades of the operator while a JobFlow or DaemonJob is Running. Also set by the environment variable "+holdUpgradesVariable+".")
	flags.BoolVar(&o.enableWebhooks, "enable-webhooks", true, "Serve admission. Without it, errors in an object only show in its status, and anyone who may create JobFlows can have any Job created.")
	flags.IntVar(&o.webhooks.Port, "webhook-port", 9443, "Port of the webhooks.")
	flags.StringVar(&o.webhooks.CertDir, "webhook-cert-dir", "/tmp/k8s-webhook-server/serving-certs",
		"Directory with tls.crt and tls.key for the webhooks. If they are missing, the operator creates its own certificate, and the directory must be writable.")
	flags.StringVar(&o.certs.Secret, "webhook-secret", webhooks.DefaultSecret, "Secret that stores the operator's own certificate.")
	flags.StringVar(&o.certs.Service, "webhook-service", webhooks.DefaultService, "Service of the webhooks, for which the operator's own certificate is issued.")
	flags.StringVar(&o.certs.Configuration, "webhook-configuration", webhooks.DefaultConfiguration,
		"ValidatingWebhookConfiguration that gets the CA of the operator's own certificate.")
	flags.DurationVar(&o.shutdownDelay, "shutdown-delay-duration", 5*time.Second,
		"How long the operator keeps running after the signal to stop, so that the API server stops calling its webhooks first. Ignored with --enable-webhooks=false.")
	flags.BoolVar(&o.printVersion, "version", false, "Print the version and exit.")
	o.zap.BindFlags(flags)
}

// readEnvironment must be called before the command line is parsed, which then overrides
// it.
func (o *options) readEnvironment() error {
	value := os.Getenv(holdUpgradesVariable)
	if value == "" {
		return nil
	}
	hold, err := strconv.ParseBool(value)
	if err != nil {
		return fmt.Errorf("the environment variable %s must be true or false, not %q", holdUpgradesVariable, value)
	}
	o.holdUpgrades = hold
	return nil
}

// garbagePercent is the default of GOGC. The operator's memory is mostly caches, which live
// long: with Go's default of 100, garbage may take as much memory again before it is
// collected. docs/design/caches.md has what this costs.
const garbagePercent = 40

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	var o options
	o.bind(flag.CommandLine)
	if err := o.readEnvironment(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	flag.Parse()
	if o.printVersion {
		fmt.Println(versionString())
		return
	}
	log := zap.New(zap.UseFlagOptions(&o.zap))
	ctrl.SetLogger(log)
	if err := run(&o); err != nil {
		log.Error(err, "The operator failed")
		os.Exit(1)
	}
}

func run(o *options) error {
	ctx := ctrl.SetupSignalHandler()
	ctrl.Log.Info("Starting", "version", versionString())
	if o.workers < 1 {
		return fmt.Errorf("--workers must be 1 or more, not %d", o.workers)
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("loading the configuration of the API server: %w", err)
	}
	// The API server's priority and fairness limits the operator, and knows the load; a
	// client-side limit would only add delay.
	config.QPS = -1
	// As in the controllers of the control plane: within a cluster, compressing and
	// decompressing every response and watch costs more than it saves.
	config.DisableCompression = true

	if err := startup.AwaitAPIServer(ctx, config, o.probeAddress, ctrl.Log.WithName("startup")); err != nil {
		return fmt.Errorf("waiting for the API server: %w", err)
	}

	metrics.Version(versionString())
	mgrOptions := managerOptions(o)
	var certs *webhooks.Certs
	if o.enableWebhooks {
		if certs, err = webhooks.FindCerts(o.webhooks); err != nil {
			return err
		}
		mgrOptions.WebhookServer = certs.Server(ctx.Done())
	}
	mgr, err := ctrl.NewManager(config, mgrOptions)
	if err != nil {
		return fmt.Errorf("creating the manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	upgradeable, err := controllers.UpgradeableCondition(mgr)
	if err != nil {
		return fmt.Errorf("finding the OperatorCondition: %w", err)
	}
	if err := controllers.Setup(mgr, controllers.Options{Workers: o.workers, Upgradeable: upgradeable, HoldUpgrades: o.holdUpgrades}); err != nil {
		return fmt.Errorf("setting up the controllers: %w", err)
	}
	if o.enableWebhooks {
		if err := webhooks.Setup(mgr); err != nil {
			return err
		}
		if err := mgr.AddReadyzCheck("webhooks", mgr.GetWebhookServer().StartedChecker()); err != nil {
			return err
		}
		if !certs.Mounted() {
			if o.certs.Namespace, err = ownNamespace(o); err != nil {
				return err
			}
			if err := certs.Manage(ctx, mgr, o.certs); err != nil {
				return fmt.Errorf("setting up the webhook certificate: %w", err)
			}
		}
		ctx = shutdown.Delay(ctx, o.shutdownDelay, ctrl.Log.WithName("shutdown"))
	}
	return mgr.Start(ctx)
}

func managerOptions(o *options) ctrl.Options {
	serving := metricsserver.Options{
		BindAddress:   o.metricsAddress,
		SecureServing: o.metricsSecure,
		// With HTTP/2, one client can keep a server busy with streams that it resets, and
		// scraping does not need it.
		TLSOpts: []func(*tls.Config){func(config *tls.Config) { config.NextProtos = []string{"http/1.1"} }},
	}
	if o.metricsSecure {
		serving.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	mgrOptions := controllers.ManagerOptions()
	mgrOptions.Metrics = serving
	mgrOptions.HealthProbeBindAddress = o.probeAddress
	mgrOptions.LeaderElection = o.leaderElect
	mgrOptions.LeaderElectionNamespace = o.namespace
	return mgrOptions
}

func ownNamespace(o *options) (string, error) {
	if o.namespace != "" {
		return o.namespace, nil
	}
	content, err := os.ReadFile(namespaceFile)
	if err != nil {
		return "", fmt.Errorf("finding the operator's namespace; set --namespace: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

// versionString falls back to the version that the Go tool records, for "go install".
func versionString() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
