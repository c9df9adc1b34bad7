package node

import (
	"encoding/json"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
)

// KubeletFiles are credentials of the kubelet.
type KubeletFiles struct {
	Program     string
	Kubeconfig  string
	ClientCA    string
	ServingCert string
	ServingKey  string
}

// PodLogs is where the node's container logs are; the links that the kubelet keeps
// in /var/log/containers point there.
func (n Node) PodLogs() string { return n.file("pod-logs") }

// Kubelet writes its configuration and returns its start.
func (n Node) Kubelet(f KubeletFiles, dnsIP, domain string) (process.Spec, error) {
	type object = map[string]any
	config := object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		// Each node has an address of its own, so all use the usual ports.
		"address":            n.IP(),
		"port":               10250,
		"healthzBindAddress": n.IP(),
		"healthzPort":        10248,
		"authentication": object{
			"anonymous": object{"enabled": false},
			"webhook":   object{"enabled": true},
			"x509":      object{"clientCAFile": f.ClientCA},
		},
		"authorization":            object{"mode": "Webhook"},
		"tlsCertFile":              f.ServingCert,
		"tlsPrivateKeyFile":        f.ServingKey,
		"containerRuntimeEndpoint": "unix://" + n.Socket(),
		"clusterDNS":               []string{dnsIP},
		"clusterDomain":            domain,
		"resolvConf":               n.file("resolv.conf"),
		// All pods are below a cgroup of the node's own. Nothing is reserved for
		// the system, and so no limits are set on the whole.
		"cgroupDriver":           "cgroupfs",
		"cgroupRoot":             n.Cgroup(),
		"cgroupsPerQOS":          true,
		"enforceNodeAllocatable": []string{},
		"failCgroupV1":           false,
		"failSwapOn":             false,
		"podLogsDir":             n.PodLogs(),
		"volumePluginDir":        n.file("volume-plugins"),
		// There is no registry to pull an image from again, and the disk is the machine's: neither
		// images nor pods must be removed because the disk is nearly full.
		"imageGCHighThresholdPercent": 100,
		"imageGCLowThresholdPercent":  99,
		"evictionHard": object{
			"memory.available": "50Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%", "imagefs.inodesFree": "0%",
		},
		"serializeImagePulls": false,
		"kubeAPIQPS":          100,
		"kubeAPIBurst":        200,
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return process.Spec{}, err
	}
	if err := n.write("kubelet.json", string(data)); err != nil {
		return process.Spec{}, err
	}
	// Pods must not ask the host's name servers, which they cannot reach.
	if err := n.write("resolv.conf", "search .\n"); err != nil {
		return process.Spec{}, err
	}
	return n.spec(n.KubeletName(), string(data), f.Program,
		"--config="+n.file("kubelet.json"),
		"--kubeconfig="+f.Kubeconfig,
		"--root-dir="+n.file("kubelet"),
		"--cert-dir="+n.file("kubelet-pki"),
		"--hostname-override="+n.Name,
		"--node-ip="+n.IP(),
		"--v=1",
	), nil
}
