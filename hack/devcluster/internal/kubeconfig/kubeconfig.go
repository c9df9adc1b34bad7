// Package kubeconfig writes kubeconfig files with the certificates inside, so that
// they may be copied elsewhere.
package kubeconfig

import (
	"encoding/json"
	"os"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/files"
	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/pki"
)

type object = map[string]any

// Write writes a kubeconfig for a server and a client certificate of the store. It does not
// rewrite a file that has the same content, because programs may watch it. JSON is YAML.
func Write(file, server, cluster string, store pki.Store, ca, client string) error {
	var read [3][]byte
	for i, path := range []string{store.Cert(ca), store.Cert(client), store.Key(client)} {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read[i] = data
	}
	name := "devcluster-" + cluster
	config := object{
		"apiVersion": "v1", "kind": "Config",
		"clusters":        []object{{"name": name, "cluster": object{"server": server, "certificate-authority-data": read[0]}}},
		"users":           []object{{"name": name, "user": object{"client-certificate-data": read[1], "client-key-data": read[2]}}},
		"contexts":        []object{{"name": name, "context": object{"cluster": name, "user": name}}},
		"current-context": name,
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return files.Write(file, data, 0o600)
}
