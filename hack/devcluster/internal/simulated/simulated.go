// Package simulated runs nodes that only exist in the API server: kwok plays their
// kubelets, and pods run to completion without any container.
package simulated

import (
	_ "embed"
	"fmt"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/files"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/process"
)

// KwokName is the daemon's name.
const KwokName = "kwok"

//go:embed stages.yaml
var stages string

// Kwok writes kwok's configuration to file and returns its start.
func Kwok(program, kubeconfig, file string) (process.Spec, error) {
	if err := files.Write(file, []byte(stages), 0o644); err != nil {
		return process.Spec{}, err
	}
	return process.Spec{
		Name: KwokName, Path: program, Env: []string{process.ConfigEnv(stages)},
		Args: []string{
			"--kubeconfig=" + kubeconfig,
			"--config=" + file,
			// So that a node which the user creates runs pods, too.
			"--manage-all-nodes=true",
			// No leases: a thousand nodes would write a hundred times a second.
			"--node-lease-duration-seconds=0",
			"--cidr=10.244.0.0/16",
			"--node-ip=10.200.0.1",
		},
	}, nil
}

// Node is the object of a simulated node.
func Node(name string) any {
	type object = map[string]any
	return object{
		"apiVersion": "v1", "kind": "Node",
		"metadata": object{
			"name": name,
			"labels": object{
				"kubernetes.io/hostname": name,
				"kubernetes.io/os":       "linux",
				"kubernetes.io/arch":     "amd64",
				"type":                   "kwok",
			},
			"annotations": object{"kwok.x-k8s.io/node": "fake"},
		},
		"spec": object{"providerID": fmt.Sprintf("kwok://%s", name)},
	}
}
