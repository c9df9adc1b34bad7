// Package controlplane configures etcd and the Kubernetes control plane. Real and simulated
// clusters differ only in addresses.
package controlplane

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/apiclient"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/files"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/kubeconfig"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/pki"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/toolchain"
)

// The names under which the daemons are recorded and log.
const (
	EtcdName              = "etcd"
	APIServerName         = "kube-apiserver"
	ControllerManagerName = "kube-controller-manager"
	SchedulerName         = "kube-scheduler"
)

// ServiceCIDR holds the services' addresses; the first is the API server's own.
const (
	ServiceCIDR      = "10.96.0.0/16"
	KubernetesSvcIP  = "10.96.0.1"
	ClusterDomain    = "cluster.local"
	adminUser        = "kubernetes-admin"
	privilegedGroup  = "system:masters"
	serviceIssuer    = "https://kubernetes.default.svc." + ClusterDomain
	clientCA, etcdCA = "ca", "etcd-ca"
	// The front proxy needs a separate CA: whoever holds a client certificate
	// of the client CA could otherwise claim to be the proxy, and name any user.
	frontProxyCA = "front-proxy-ca"
)

// Config is what differs between clusters.
type Config struct {
	Dir      string
	Programs map[toolchain.Program]string
	// Netns is where the daemons run; empty for the host.
	Netns string
	// Address is where the API server is reached by the other daemons.
	Address string
	// Advertised means that pods can reach Address, too. The API server
	// refuses to advertise a loopback address.
	Advertised bool
	APIPort    int
	EtcdPort   int
	PeerPort   int
	// ExternalURL is for the user's kubeconfig.
	ExternalURL string
	// SyncEtcd makes etcd wait for the disk, as a production cluster must.
	SyncEtcd bool
	// AuditPolicy is the text of an audit policy; empty for no audit log.
	AuditPolicy string
	// QuietNodes do not renew leases, and must not be evicted for it.
	QuietNodes bool
}

// PKI is the store of the cluster's certificates.
func (c Config) PKI() pki.Store { return pki.Store{Dir: filepath.Join(c.Dir, "pki")} }

// URL is the API server as the daemons see it.
func (c Config) URL() string {
	return "https://" + net.JoinHostPort(c.Address, strconv.Itoa(c.APIPort))
}

// AdminKubeconfig is the user's kubeconfig.
func (c Config) AdminKubeconfig() string { return filepath.Join(c.Dir, "kubeconfig") }

// InternalKubeconfig is for the same user within the cluster's network.
func (c Config) InternalKubeconfig() string { return c.kubeconfigFile("admin") }

func (c Config) kubeconfigFile(name string) string {
	return filepath.Join(c.Dir, "config", name+".kubeconfig")
}

// EnsureCredentials makes all certificates, the kubeconfigs of the control plane and
// the user, and the file of the audit policy.
func (c Config) EnsureCredentials() error {
	store := c.PKI()
	for name, cn := range map[string]string{clientCA: "devcluster-ca", etcdCA: "devcluster-etcd-ca", frontProxyCA: "devcluster-front-proxy-ca"} {
		if err := store.EnsureCA(name, cn); err != nil {
			return err
		}
	}
	if err := store.EnsureKeyPair("service-account"); err != nil {
		return err
	}
	leaves := []struct {
		ca   string
		leaf pki.Leaf
	}{
		{etcdCA, pki.Leaf{Name: "etcd", CommonName: "etcd", Hosts: []string{"127.0.0.1", "localhost"}}},
		{etcdCA, pki.Leaf{Name: "apiserver-etcd-client", CommonName: "kube-apiserver"}},
		{clientCA, pki.Leaf{Name: "apiserver", CommonName: "kube-apiserver", Hosts: c.apiServerHosts()}},
		{clientCA, pki.Leaf{Name: "apiserver-kubelet-client", CommonName: "kube-apiserver-kubelet-client", Organizations: []string{privilegedGroup}}},
		{frontProxyCA, pki.Leaf{Name: "front-proxy-client", CommonName: "front-proxy-client"}},
	}
	for _, l := range leaves {
		if err := store.Ensure(l.ca, l.leaf); err != nil {
			return err
		}
	}
	if err := c.writeAuditPolicy(); err != nil {
		return err
	}
	if err := c.ClientKubeconfig(ControllerManagerName, "system:kube-controller-manager"); err != nil {
		return err
	}
	if err := c.ClientKubeconfig(SchedulerName, "system:kube-scheduler"); err != nil {
		return err
	}
	if err := c.ClientKubeconfig("admin", adminUser, privilegedGroup); err != nil {
		return err
	}
	return kubeconfig.Write(c.AdminKubeconfig(), c.ExternalURL, filepath.Base(c.Dir), store, clientCA, "admin")
}

// ClientKubeconfig makes a client certificate for a user, and a kubeconfig with it
// for use within the cluster's network.
func (c Config) ClientKubeconfig(name, user string, groups ...string) error {
	store := c.PKI()
	if err := store.Ensure(clientCA, pki.Leaf{Name: name, CommonName: user, Organizations: groups}); err != nil {
		return err
	}
	return kubeconfig.Write(c.kubeconfigFile(name), c.URL(), filepath.Base(c.Dir), store, clientCA, name)
}

// Client speaks to the API server as the administrator, the way the user does.
func (c Config) Client() (*apiclient.Client, error) {
	return apiclient.New(c.ExternalURL, c.PKI(), clientCA, "admin")
}

// KubeconfigFile is the path of what ClientKubeconfig wrote.
func (c Config) KubeconfigFile(name string) string { return c.kubeconfigFile(name) }

// ClientCAFile is the CA that clients and kubelets are checked against.
func (c Config) ClientCAFile() string { return c.PKI().Cert(clientCA) }

// EnsureServing makes a serving certificate, such as a kubelet's.
func (c Config) EnsureServing(name, commonName string, hosts ...string) error {
	return c.PKI().Ensure(clientCA, pki.Leaf{Name: name, CommonName: commonName, Hosts: hosts})
}

func (c Config) apiServerHosts() []string {
	hosts := []string{"127.0.0.1", "localhost", KubernetesSvcIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + ClusterDomain}
	if c.Address != "127.0.0.1" {
		hosts = append(hosts, c.Address)
	}
	return hosts
}

func (c Config) spec(name string, program toolchain.Program, args []string) process.Spec {
	return process.Spec{Name: name, Path: c.Programs[program], Args: args, Netns: c.Netns}
}

// Etcd is etcd's start.
func (c Config) Etcd() process.Spec {
	store := c.PKI()
	client := fmt.Sprintf("https://127.0.0.1:%d", c.EtcdPort)
	peer := fmt.Sprintf("https://127.0.0.1:%d", c.PeerPort)
	args := []string{
		"--name=devcluster",
		"--data-dir=" + filepath.Join(c.Dir, "etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=devcluster=" + peer,
		"--cert-file=" + store.Cert("etcd"),
		"--key-file=" + store.Key("etcd"),
		"--client-cert-auth",
		"--trusted-ca-file=" + store.Cert(etcdCA),
		"--peer-cert-file=" + store.Cert("etcd"),
		"--peer-key-file=" + store.Key("etcd"),
		"--peer-client-cert-auth",
		"--peer-trusted-ca-file=" + store.Cert(etcdCA),
		"--auto-compaction-retention=1h",
		"--log-level=warn",
	}
	if !c.SyncEtcd {
		args = append(args, "--unsafe-no-fsync")
	}
	return c.spec(EtcdName, toolchain.Etcd, args)
}

// APIServer is the API server's start.
func (c Config) APIServer() process.Spec {
	store := c.PKI()
	args := append(c.auditArgs(), []string{
		"--etcd-servers=" + fmt.Sprintf("https://127.0.0.1:%d", c.EtcdPort),
		"--etcd-cafile=" + store.Cert(etcdCA),
		"--etcd-certfile=" + store.Cert("apiserver-etcd-client"),
		"--etcd-keyfile=" + store.Key("apiserver-etcd-client"),
		"--secure-port=" + strconv.Itoa(c.APIPort),
		"--tls-cert-file=" + store.Cert("apiserver"),
		"--tls-private-key-file=" + store.Key("apiserver"),
		"--client-ca-file=" + store.Cert(clientCA),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-cluster-ip-range=" + ServiceCIDR,
		"--service-account-issuer=" + serviceIssuer,
		"--service-account-key-file=" + store.PublicKey("service-account"),
		"--service-account-signing-key-file=" + store.Key("service-account"),
		"--kubelet-certificate-authority=" + store.Cert(clientCA),
		"--kubelet-client-certificate=" + store.Cert("apiserver-kubelet-client"),
		"--kubelet-client-key=" + store.Key("apiserver-kubelet-client"),
		// By name, it would look the node up in DNS.
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file=" + store.Cert(frontProxyCA),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + store.Cert("front-proxy-client"),
		"--proxy-client-key-file=" + store.Key("front-proxy-client"),
	}...)
	if c.Advertised {
		args = append(args, "--bind-address=0.0.0.0", "--advertise-address="+c.Address)
	} else {
		args = append(args, "--bind-address=127.0.0.1", "--endpoint-reconciler-type=none")
	}
	spec := c.spec(APIServerName, toolchain.APIServer, args)
	if c.AuditPolicy != "" {
		spec.Env = append(spec.Env, process.ConfigEnv(c.AuditPolicy))
	}
	return spec
}

// AuditLog is the file of the audit log.
func (c Config) AuditLog() string { return filepath.Join(c.Dir, "logs", "audit.log") }

func (c Config) auditPolicyFile() string { return filepath.Join(c.Dir, "config", "audit-policy.yaml") }

// writeAuditPolicy comes before the API server's start, which reads it.
func (c Config) writeAuditPolicy() error {
	if c.AuditPolicy == "" {
		return nil
	}
	return files.Write(c.auditPolicyFile(), []byte(c.AuditPolicy), 0o644)
}

func (c Config) auditArgs() []string {
	if c.AuditPolicy == "" {
		return nil
	}
	return []string{
		"--audit-policy-file=" + c.auditPolicyFile(),
		"--audit-log-path=" + c.AuditLog(),
		// A request does not wait for the file.
		"--audit-log-mode=batch",
		"--audit-log-batch-max-wait=1s",
		// Not rotated: those who count requests want all of them.
		"--audit-log-maxsize=100000",
	}
}

// ControllerManager is the controller manager's start.
func (c Config) ControllerManager() process.Spec {
	store := c.PKI()
	args := []string{
		"--kubeconfig=" + c.kubeconfigFile(ControllerManagerName),
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + store.Key("service-account"),
		"--root-ca-file=" + store.Cert(clientCA),
		"--cluster-signing-cert-file=" + store.Cert(clientCA),
		"--cluster-signing-key-file=" + store.Key(clientCA),
		// There is only one; leases would be useless writes.
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=200", "--kube-api-burst=400",
	}
	if c.QuietNodes {
		args = append(args, "--node-monitor-grace-period=87600h")
	}
	return c.spec(ControllerManagerName, toolchain.ControllerManager, args)
}

// Scheduler is the scheduler's start.
func (c Config) Scheduler() process.Spec {
	return c.spec(SchedulerName, toolchain.Scheduler, []string{
		"--kubeconfig=" + c.kubeconfigFile(SchedulerName),
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=200", "--kube-api-burst=400",
	})
}
