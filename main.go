// The operator: flags, manager, setup.
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

// namespaceFile is where a pod finds the namespace that it is in.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// holdUpgradesVariable sets --hold-upgrades, since an OLM Subscription can set
// variables but no arguments. What the command line says counts more.
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
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS, to those whom the API server authorizes.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz; 0 switches them off.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "Let one replica at a time act. Admission is served by all of them.")
	flags.IntVar(&o.workers, "workers", 64, "How many objects of each kind are reconciled at the same time.")
	flags.StringVar(&o.namespace, "namespace", "", "Namespace of the operator's own Secret and Lease. Default: the namespace that the pod runs in.")
	flags.BoolVar(&o.holdUpgrades, "hold-upgrades", false, "Under OLM, hold upgrades of the operator while a JobFlow or DaemonJob is Running. Also set by the environment variable "+holdUpgradesVariable+".")
	flags.BoolVar(&o.enableWebhooks, "enable-webhooks", true, "Serve admission. Without it, what is wrong with an object is found in its status, and who may create JobFlows may have any Job created.")
	flags.IntVar(&o.webhooks.Port, "webhook-port", 9443, "Port of the webhooks.")
	flags.StringVar(&o.webhooks.CertDir, "webhook-cert-dir", "/tmp/k8s-webhook-server/serving-certs",
		"Directory with tls.crt and tls.key for the webhooks. Without these two the operator makes its own certificate; the directory then has to be writable.")
	flags.StringVar(&o.certs.Secret, "webhook-secret", webhooks.DefaultSecret, "Secret that keeps the operator's own certificate.")
	flags.StringVar(&o.certs.Service, "webhook-service", webhooks.DefaultService, "Service of the webhooks, which the operator's own certificate is for.")
	flags.StringVar(&o.certs.Configuration, "webhook-configuration", webhooks.DefaultConfiguration,
		"ValidatingWebhookConfiguration that gets the CA of the operator's own certificate.")
	flags.DurationVar(&o.shutdownDelay, "shutdown-delay-duration", 5*time.Second,
		"How long to work on after being told to end, so that the API server stops calling the webhooks first. Not without webhooks.")
	flags.BoolVar(&o.printVersion, "version", false, "Print the version and exit.")
	o.zap.BindFlags(flags)
}

// fromEnvironment comes before the command line is parsed.
func (o *options) fromEnvironment() error {
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

// garbagePercent is GOGC where that is not set. What the operator holds are caches, which
// live long: with Go's default of 100 as much memory again is garbage that waits. What
// that costs is in docs/design/caches.md.
const garbagePercent = 40

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	var o options
	o.bind(flag.CommandLine)
	if err := o.fromEnvironment(); err != nil {
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
		log.Error(err, "Cannot go on")
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
		return fmt.Errorf("finding the API server: %w", err)
	}
	// What limits the operator is the API server's priority and fairness, which
	// knows its load; a limit of the client's own only adds waiting.
	config.QPS = -1
	// As the controllers of the control plane do: within a cluster, to compress and
	// decompress every answer and watch costs more than it saves.
	config.DisableCompression = true

	if err := startup.AwaitAPIServer(ctx, config, o.probeAddress, ctrl.Log.WithName("startup")); err != nil {
		return fmt.Errorf("waiting for the API server: %w", err)
	}

	metrics.Version(versionString())
	managed := managerOptions(o)
	var certs *webhooks.Certs
	if o.enableWebhooks {
		if certs, err = webhooks.FindCerts(o.webhooks); err != nil {
			return err
		}
		managed.WebhookServer = certs.Server(ctx.Done())
	}
	mgr, err := ctrl.NewManager(config, managed)
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
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
		// HTTP/2 lets one client keep a server busy with streams that it resets, and
		// scraping has no use for it.
		TLSOpts: []func(*tls.Config){func(config *tls.Config) { config.NextProtos = []string{"http/1.1"} }},
	}
	if o.metricsSecure {
		serving.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	managed := controllers.ManagerOptions()
	managed.Metrics = serving
	managed.HealthProbeBindAddress = o.probeAddress
	managed.LeaderElection = o.leaderElect
	managed.LeaderElectionNamespace = o.namespace
	return managed
}

func ownNamespace(o *options) (string, error) {
	if o.namespace != "" {
		return o.namespace, nil
	}
	content, err := os.ReadFile(namespaceFile)
	if err != nil {
		return "", fmt.Errorf("finding the operator's namespace, which --namespace can say: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

// versionString falls back to what the Go tool records, for those who run
// "go install".
func versionString() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
